-- Alerts that the rules of gateways raise and clear.

CREATE TABLE alert (
    tenant_id uuid NOT NULL,
    id text NOT NULL CHECK (length(id) BETWEEN 1 AND 64),
    gateway_id uuid NOT NULL,
    rule text NOT NULL CHECK (length(rule) <= 200),
    point_key text NOT NULL CHECK (length(point_key) <= 200),
    priority text NOT NULL CHECK (priority IN ('low', 'medium', 'high', 'critical')),
    message text NOT NULL CHECK (length(message) <= 1000),
    raised_at timestamptz,
    value jsonb,
    cleared_at timestamptz,
    clear_value jsonb,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN alert.id IS 'Given by the gateway, unique for ever';
COMMENT ON COLUMN alert.raised_at IS 'null: the clearing arrived first; shown once the raising is here';
CREATE INDEX alert_raised ON alert (tenant_id, raised_at DESC, id DESC);
CREATE INDEX alert_active ON alert (tenant_id, gateway_id)
    WHERE cleared_at IS NULL AND raised_at IS NOT NULL;

ALTER TABLE alert ENABLE ROW LEVEL SECURITY;
ALTER TABLE alert FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON alert USING (tenant_id = current_setting('tidegate.tenant')::uuid);
GRANT SELECT, INSERT, UPDATE ON alert TO tidegate_app;
