-- Tenants, people, credentials, sites, gateways, devices, points; and the fence between tenants.
--
-- Rules, checked by tests/integration/cloud/test_cloud_fences.py:
--   every table with tenant_id has ENABLE and FORCE ROW LEVEL SECURITY and the policy "tenant";
--   every unique key begins with tenant_id, for a key over all tenants would tell that a name
--   exists (primary keys over one random uuid, and hashes of random secrets, tell nothing);
--   the policy casts the setting, so that a transaction without a tenant fails instead of reading.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA tidegate FROM PUBLIC;
GRANT USAGE ON SCHEMA tidegate TO tidegate_app, tidegate_ingest, tidegate_login;
ALTER DEFAULT PRIVILEGES IN SCHEMA tidegate REVOKE ALL ON TABLES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;

-- The one way to say whose transaction this is. Ends with the transaction.
CREATE FUNCTION set_tenant(tenant uuid) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog
    AS $$ SELECT set_config('tidegate.tenant', tenant::text, true) $$;
GRANT EXECUTE ON FUNCTION set_tenant(uuid) TO tidegate_app, tidegate_ingest;

-- Tenants and their people ------------------------------------------------------------------

CREATE TABLE tenant (
    tenant_id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE person (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenant,
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 254 AND email = lower(email)),
    name text NOT NULL CHECK (length(name) <= 100),
    password text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);
COMMENT ON COLUMN person.password IS 'Argon2id string; null: signs in by link only';
-- For the door of passwords: an e-mail address may be known to several tenants.
CREATE INDEX person_email ON person (email);

CREATE TABLE membership (
    tenant_id uuid NOT NULL REFERENCES tenant,
    person_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    PRIMARY KEY (tenant_id, person_id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE session (
    hash bytea NOT NULL CHECK (length(hash) = 32),
    tenant_id uuid NOT NULL REFERENCES tenant,
    person_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (hash),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX session_person ON session (tenant_id, person_id);

CREATE TABLE sign_in_link (
    hash bytea NOT NULL CHECK (length(hash) = 32),
    tenant_id uuid NOT NULL REFERENCES tenant,
    person_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (hash),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX sign_in_link_person ON sign_in_link (tenant_id, person_id);

-- Sites, claims, gateways -------------------------------------------------------------------

CREATE TABLE site (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenant,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    time_zone text NOT NULL DEFAULT 'UTC' CHECK (length(time_zone) <= 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE gateway (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    site_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    status text NOT NULL DEFAULT 'enrolled' CHECK (status IN ('enrolled', 'suspended')),
    public_key_sha256 bytea NOT NULL CHECK (length(public_key_sha256) = 32),
    certificate_sha256 bytea NOT NULL CHECK (length(certificate_sha256) = 32),
    certificate bytea NOT NULL,
    certificate_serial text NOT NULL,
    certificate_expires_at timestamptz NOT NULL,
    version text NOT NULL CHECK (length(version) <= 64),
    enrolled_at timestamptz NOT NULL,
    last_contact_at timestamptz,
    backlog_batches bigint NOT NULL DEFAULT 0,
    backlog_samples bigint NOT NULL DEFAULT 0,
    backlog_oldest_at timestamptz,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, public_key_sha256),
    FOREIGN KEY (tenant_id, site_id) REFERENCES site (tenant_id, id)
);
COMMENT ON COLUMN gateway.certificate IS 'DER of the newest one; verifies the assertions';
CREATE INDEX gateway_site ON gateway (tenant_id, site_id);

CREATE TABLE claim (
    hash bytea NOT NULL CHECK (length(hash) = 32),
    tenant_id uuid NOT NULL,
    site_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    uses_left int NOT NULL DEFAULT 1 CHECK (uses_left >= 0),
    used_by bytea CHECK (length(used_by) = 32),
    gateway_id uuid,
    PRIMARY KEY (hash),
    FOREIGN KEY (tenant_id, site_id) REFERENCES site (tenant_id, id),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id)
);
COMMENT ON COLUMN claim.used_by IS 'SHA-256 of the public key that used it last';
CREATE INDEX claim_site ON claim (tenant_id, site_id);

-- Numbers of assertions that were used, until they expire: none is accepted twice.
CREATE TABLE assertion (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    jti text NOT NULL CHECK (length(jti) BETWEEN 8 AND 128),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, gateway_id, jti),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
);

-- Devices and points ------------------------------------------------------------------------

CREATE TABLE device (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    protocol text NOT NULL DEFAULT '' CHECK (length(protocol) <= 32),
    address text NOT NULL DEFAULT '' CHECK (length(address) <= 200),
    profile text NOT NULL DEFAULT '' CHECK (length(profile) <= 100),
    vendor text NOT NULL DEFAULT '' CHECK (length(vendor) <= 100),
    model text NOT NULL DEFAULT '' CHECK (length(model) <= 100),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    silent_since timestamptz,
    silent_reason text,
    declared_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, gateway_id, name),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN device.declared_at IS 'null: only seen in samples, never declared';

CREATE TABLE point (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    device_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind text NOT NULL DEFAULT 'float'
        CHECK (kind IN ('float', 'integer', 'boolean', 'text', 'enumeration')),
    unit text NOT NULL DEFAULT '' CHECK (length(unit) <= 32),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    labels jsonb NOT NULL DEFAULT '{}',
    decimals smallint CHECK (decimals BETWEEN 0 AND 6),
    interval_s double precision NOT NULL DEFAULT 1,
    max_silence_s double precision NOT NULL DEFAULT 60,
    declared_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, gateway_id, key),
    FOREIGN KEY (tenant_id, device_id) REFERENCES device (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN point.declared_at IS 'null: only seen in samples, or no longer declared';
CREATE INDEX point_device ON point (tenant_id, device_id);

-- The fence ---------------------------------------------------------------------------------

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenant USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
ALTER TABLE person FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON person USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE membership FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON membership USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE session ENABLE ROW LEVEL SECURITY;
ALTER TABLE session FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON session USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE sign_in_link ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_link FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sign_in_link USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE site ENABLE ROW LEVEL SECURITY;
ALTER TABLE site FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON site USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE gateway ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gateway USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE claim ENABLE ROW LEVEL SECURITY;
ALTER TABLE claim FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON claim USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE assertion ENABLE ROW LEVEL SECURITY;
ALTER TABLE assertion FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON assertion USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE device ENABLE ROW LEVEL SECURITY;
ALTER TABLE device FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON device USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE point ENABLE ROW LEVEL SECURITY;
ALTER TABLE point FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON point USING (tenant_id = current_setting('tidegate.tenant')::uuid);

GRANT SELECT, INSERT ON tenant TO tidegate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    person, membership, session, sign_in_link, site, gateway, claim, assertion, device, point
    TO tidegate_app;

-- The doors ---------------------------------------------------------------------------------
--
-- A request that brings a credential has no tenant yet, and no row can be read without one. These
-- functions turn a credential into its tenant and give nothing else: no person, no role, no key.
-- What was found is read again in a transaction of that tenant, under the policies above.
--
-- SECURITY DEFINER is right here and nowhere else: they belong to tidegate_login, which cannot log
-- in, may read only the columns named below, and bypasses the policies for just that. Secrets are
-- looked up by their SHA-256, so that guessing one means guessing 128 bits or more, and a copy of
-- the database opens no door. search_path is fixed; arguments are compared, never executed.

GRANT SELECT (hash, tenant_id) ON session, sign_in_link, claim TO tidegate_login;
GRANT SELECT (id, tenant_id) ON gateway TO tidegate_login;
GRANT SELECT (email, tenant_id) ON person TO tidegate_login;
GRANT SELECT (tenant_id) ON tenant TO tidegate_login;

CREATE FUNCTION tenant_of_session(secret bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT tenant_id FROM tidegate.session WHERE hash = secret $$;

CREATE FUNCTION tenant_of_sign_in_link(secret bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT tenant_id FROM tidegate.sign_in_link WHERE hash = secret $$;

CREATE FUNCTION tenant_of_claim(secret bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT tenant_id FROM tidegate.claim WHERE hash = secret $$;

CREATE FUNCTION tenant_of_gateway(wanted uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT tenant_id FROM tidegate.gateway WHERE id = wanted $$;

-- A password is checked against at most this many accounts of one address.
CREATE FUNCTION tenants_of_email(address text) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT tenant_id FROM tidegate.person WHERE email = address ORDER BY 1 LIMIT 4 $$;

-- For chores that go from tenant to tenant: numbers without names.
CREATE FUNCTION tenant_ids() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT tenant_id FROM tidegate.tenant ORDER BY 1 $$;

GRANT CREATE ON SCHEMA tidegate TO tidegate_login;
ALTER FUNCTION tenant_of_session(bytea) OWNER TO tidegate_login;
ALTER FUNCTION tenant_of_sign_in_link(bytea) OWNER TO tidegate_login;
ALTER FUNCTION tenant_of_claim(bytea) OWNER TO tidegate_login;
ALTER FUNCTION tenant_of_gateway(uuid) OWNER TO tidegate_login;
ALTER FUNCTION tenants_of_email(text) OWNER TO tidegate_login;
ALTER FUNCTION tenant_ids() OWNER TO tidegate_login;
REVOKE CREATE ON SCHEMA tidegate FROM tidegate_login;

GRANT EXECUTE ON FUNCTION
    tenant_of_session(bytea), tenant_of_sign_in_link(bytea), tenant_of_claim(bytea),
    tenant_of_gateway(uuid), tenants_of_email(text), tenant_ids()
    TO tidegate_app;
