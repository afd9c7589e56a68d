-- Past outages of the line: from the last contact before one to the first after it. Written by the
-- upload that ends it (registry/queries.py, touch_gateway), which also forgets the oldest ones.

CREATE TABLE outage (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL CHECK (ended_at > began_at),
    PRIMARY KEY (tenant_id, gateway_id, began_at),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE outage ENABLE ROW LEVEL SECURITY;
ALTER TABLE outage FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON outage USING (tenant_id = current_setting('tidegate.tenant')::uuid);
GRANT SELECT, INSERT, DELETE ON outage TO tidegate_app;
