-- Commands for gateways: queued, sent, acknowledged, then succeeded, failed or expired.

CREATE TABLE command (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    state text NOT NULL CHECK (
        state IN ('queued', 'sent', 'acknowledged', 'succeeded', 'failed', 'expired')
    ),
    reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
    issued_by text NOT NULL CHECK (length(issued_by) <= 254),
    issued_at timestamptz NOT NULL DEFAULT now(),
    not_after timestamptz NOT NULL,
    sent_at timestamptz,
    acknowledged_at timestamptz,
    ended_at timestamptz,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 200),
    request_sha256 bytea NOT NULL CHECK (length(request_sha256) = 32),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, gateway_id, idempotency_key),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX command_gateway ON command (tenant_id, gateway_id, issued_at DESC);
CREATE INDEX command_waiting ON command (tenant_id, gateway_id) WHERE state IN ('queued', 'sent');

ALTER TABLE command ENABLE ROW LEVEL SECURITY;
ALTER TABLE command FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON command USING (tenant_id = current_setting('tidegate.tenant')::uuid);
GRANT SELECT, INSERT, UPDATE ON command TO tidegate_app;
