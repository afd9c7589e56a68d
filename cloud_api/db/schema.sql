CREATE SCHEMA tidegate;

CREATE FUNCTION tidegate.clock_shift(gateway uuid, of_boot text, us bigint) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'tidegate', 'pg_catalog'
    AS $$
    SELECT shift FROM (
        SELECT repair.offset_us - item.believed AS shift,
            greatest(item.low - (us - item.believed), (us - item.believed) - item.high, 0) AS apart,
            repair.noticed_at, item.low
        FROM clock_repair AS repair
        CROSS JOIN LATERAL unnest(froms, tos, offsets) AS item (low, high, believed)
        WHERE repair.tenant_id = current_setting('tidegate.tenant')::uuid
            AND repair.gateway_id = gateway AND repair.boot = of_boot
    ) AS stretch WHERE apart <= 5000000 ORDER BY apart, noticed_at, low LIMIT 1
    $$;

CREATE FUNCTION tidegate.join_chunks(point bigint, low timestamp with time zone, high timestamp with time zone, into_tier smallint, largest integer, of_clock smallint DEFAULT 0, of_boot text DEFAULT NULL::text) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'tidegate', 'pg_catalog'
    AS $$
    WITH taken AS (
        DELETE FROM sample_chunk
        WHERE tenant_id = current_setting('tidegate.tenant')::uuid
            AND point_id = point AND first BETWEEN low AND high
            AND date_trunc('hour', low, 'UTC') = date_trunc('hour', high, 'UTC')
            AND (tier < into_tier OR tier = into_tier AND count <= largest)
            AND clock = of_clock AND boot IS NOT DISTINCT FROM of_boot
        RETURNING *
    ), item AS (
        SELECT item.* FROM taken CROSS JOIN LATERAL unnest(
            times, values, qualities, reasons, texts
        ) WITH ORDINALITY AS item (time, value, quality, reason, text, place)
        ORDER BY item.time, taken.ingested_at, taken.first, item.place
    ), joined AS (
        SELECT count(*)::int AS count, array_agg(time) AS times, array_agg(value) AS values,
            CASE WHEN max(quality) > 0 THEN array_agg(coalesce(quality, 0::smallint)) END
                AS qualities,
            CASE WHEN count(reason) > 0 THEN array_agg(reason) END AS reasons,
            CASE WHEN count(text) > 0 THEN array_agg(text) END AS texts
        FROM item
    ), span AS (
        SELECT tenant_id, min(first) AS first, max(last) AS last, max(ingested_at) AS ingested_at,
            count(*)::int AS chunks
        FROM taken GROUP BY tenant_id
    ), put AS (
        INSERT INTO sample_chunk (tenant_id, point_id, first, last, count, times, values,
            qualities, reasons, texts, ingested_at, tier, clock, boot)
        SELECT tenant_id, point, first, last, count, times, values, qualities, reasons, texts,
            ingested_at, into_tier, of_clock, of_boot
        FROM span CROSS JOIN joined
    )
    SELECT coalesce(sum(chunks), 0)::int FROM span
    $$;

ALTER FUNCTION tidegate.join_chunks(point bigint, low timestamp with time zone, high timestamp with time zone, into_tier smallint, largest integer, of_clock smallint, of_boot text) OWNER TO tidegate_merge;

CREATE FUNCTION tidegate.keep_sample_partitions() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tidegate', 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET lock_timeout TO '5s'
    AS $$
DECLARE
    day date;
    part text;
BEGIN
    PERFORM pg_advisory_xact_lock(7411319);
    FOR day IN SELECT current_date + n FROM generate_series(-1, 3) AS n LOOP
        part := 'sample_chunk_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('tidegate.' || part) IS NOT NULL;
        BEGIN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF sample_chunk FOR VALUES FROM (%L) TO (%L)',
                part, day::timestamptz, (day + 1)::timestamptz);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
            EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
            EXECUTE format(
                'CREATE POLICY tenant ON %I USING '
                '(tenant_id = current_setting(''tidegate.tenant'')::uuid)', part);
        EXCEPTION WHEN check_violation THEN
            RAISE NOTICE 'samples of % stay in sample_chunk_odd', day;
        END;
    END LOOP;
END $$;

CREATE FUNCTION tidegate.repair_chunks(gateway uuid, point bigint, of_boot text, low timestamp with time zone) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'tidegate', 'pg_catalog'
    AS $$
    WITH taken AS (
        DELETE FROM sample_chunk
        WHERE tenant_id = current_setting('tidegate.tenant')::uuid
            AND point_id = point AND clock = 1 AND boot = of_boot
            AND first >= low AND first < low + interval '1 hour'
        RETURNING *
    ), item AS (
        SELECT taken.tenant_id, taken.ingested_at, taken.first AS chunk, item.*,
            clock_shift(gateway, of_boot, item.time) AS shift
        FROM taken CROSS JOIN LATERAL unnest(
            times, values, qualities, reasons, texts
        ) WITH ORDINALITY AS item (time, value, quality, reason, text, place)
    ), moved AS (
        SELECT *, CASE WHEN abs(shift) >= 1000000 THEN time + shift ELSE time END AS us,
            (CASE WHEN shift IS NULL THEN 1 WHEN abs(shift) >= 1000000 THEN 2 ELSE 0 END)::smallint
                AS verdict
        FROM item
    ), put AS (
        INSERT INTO sample_chunk (tenant_id, point_id, first, last, count, times, values,
            qualities, reasons, texts, ingested_at, clock, boot)
        SELECT tenant_id, point, time_of(min(us)), time_of(max(us)), count(*)::int,
            array_agg(us ORDER BY us, ingested_at, chunk, place),
            array_agg(value ORDER BY us, ingested_at, chunk, place),
            CASE WHEN max(quality) > 0
                THEN array_agg(coalesce(quality, 0::smallint) ORDER BY us, ingested_at, chunk, place)
            END,
            CASE WHEN count(reason) > 0
                THEN array_agg(reason ORDER BY us, ingested_at, chunk, place) END,
            CASE WHEN count(text) > 0
                THEN array_agg(text ORDER BY us, ingested_at, chunk, place) END,
            max(ingested_at), verdict, CASE WHEN verdict = 1 THEN of_boot END
        FROM moved GROUP BY tenant_id, verdict, us / 3600000000
    ), newest AS (
        SELECT DISTINCT ON (tenant_id) * FROM moved WHERE verdict <> 1
        ORDER BY tenant_id, us DESC, ingested_at DESC, place DESC
    ), good AS (
        SELECT DISTINCT ON (tenant_id) * FROM moved WHERE verdict <> 1 AND coalesce(quality, 0) = 0
        ORDER BY tenant_id, us DESC, ingested_at DESC, place DESC
    ), shown AS (
        INSERT INTO latest AS old (
            tenant_id, point_id, time, value, text, quality, reason, good_at, good_value, good_text)
        SELECT tenant_id, point, time_of(newest.us), nullif(newest.value, 'NaN'), newest.text,
            coalesce(newest.quality, 0::smallint),
            coalesce(newest.reason, CASE newest.verdict WHEN 2 THEN 'clock_repaired' ELSE '' END),
            time_of(good.us), nullif(good.value, 'NaN'), good.text
        FROM newest LEFT JOIN good USING (tenant_id)
        ON CONFLICT (tenant_id, point_id) DO UPDATE SET
            (time, value, text, quality, reason) = (
                SELECT excluded.time, excluded.value, excluded.text, excluded.quality,
                    excluded.reason
                WHERE wins(excluded.time, old.time) OR old.reason = 'clock_unsynchronised'
                UNION ALL
                SELECT old.time, old.value, old.text, old.quality, old.reason
                WHERE NOT (wins(excluded.time, old.time) OR old.reason = 'clock_unsynchronised')),
            (good_at, good_value, good_text) = (
                SELECT excluded.good_at, excluded.good_value, excluded.good_text
                WHERE wins(excluded.good_at, old.good_at)
                UNION ALL
                SELECT old.good_at, old.good_value, old.good_text
                WHERE NOT wins(excluded.good_at, old.good_at))
    )
    SELECT (count(*) FILTER (WHERE verdict <> 1))::int FROM moved
    $$;

ALTER FUNCTION tidegate.repair_chunks(gateway uuid, point bigint, of_boot text, low timestamp with time zone) OWNER TO tidegate_merge;

CREATE FUNCTION tidegate.set_tenant(tenant uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog'
    AS $$ SELECT set_config('tidegate.tenant', tenant::text, true) $$;

CREATE FUNCTION tidegate.tenant_ids() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$ SELECT tenant_id FROM tidegate.tenant ORDER BY 1 $$;

ALTER FUNCTION tidegate.tenant_ids() OWNER TO tidegate_login;

CREATE FUNCTION tidegate.tenant_of_claim(secret bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$ SELECT tenant_id FROM tidegate.claim WHERE hash = secret $$;

ALTER FUNCTION tidegate.tenant_of_claim(secret bytea) OWNER TO tidegate_login;

CREATE FUNCTION tidegate.tenant_of_gateway(wanted uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$ SELECT tenant_id FROM tidegate.gateway WHERE id = wanted $$;

ALTER FUNCTION tidegate.tenant_of_gateway(wanted uuid) OWNER TO tidegate_login;

CREATE FUNCTION tidegate.tenant_of_session(secret bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$ SELECT tenant_id FROM tidegate.session WHERE hash = secret $$;

ALTER FUNCTION tidegate.tenant_of_session(secret bytea) OWNER TO tidegate_login;

CREATE FUNCTION tidegate.tenant_of_sign_in_link(secret bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$ SELECT tenant_id FROM tidegate.sign_in_link WHERE hash = secret $$;

ALTER FUNCTION tidegate.tenant_of_sign_in_link(secret bytea) OWNER TO tidegate_login;

CREATE FUNCTION tidegate.tenants_of_email(address text) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$ SELECT tenant_id FROM tidegate.person WHERE email = address ORDER BY 1 LIMIT 4 $$;

ALTER FUNCTION tidegate.tenants_of_email(address text) OWNER TO tidegate_login;

CREATE FUNCTION tidegate.time_of(us bigint) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    RETURN ('1970-01-01 00:00:00+00'::timestamp with time zone + ((us)::double precision * '00:00:00.000001'::interval));

CREATE FUNCTION tidegate.wins(fresh timestamp with time zone, held timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN ((fresh IS NOT NULL) AND ((held IS NULL) OR (fresh >= held) OR (held > (now() + '00:05:00'::interval))));

CREATE TABLE tidegate.alert (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    gateway_id uuid NOT NULL,
    rule text NOT NULL,
    point_key text NOT NULL,
    priority text NOT NULL,
    message text NOT NULL,
    raised_at timestamp with time zone,
    value jsonb,
    cleared_at timestamp with time zone,
    clear_value jsonb,
    CONSTRAINT alert_id_check CHECK (((length(id) >= 1) AND (length(id) <= 64))),
    CONSTRAINT alert_message_check CHECK ((length(message) <= 1000)),
    CONSTRAINT alert_point_key_check CHECK ((length(point_key) <= 200)),
    CONSTRAINT alert_priority_check CHECK ((priority = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))),
    CONSTRAINT alert_rule_check CHECK ((length(rule) <= 200))
);

ALTER TABLE ONLY tidegate.alert FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN tidegate.alert.id IS 'Given by the gateway, unique for ever';

COMMENT ON COLUMN tidegate.alert.raised_at IS 'null: the clearing arrived first; shown once the raising is here';

CREATE TABLE tidegate.assertion (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    jti text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT assertion_jti_check CHECK (((length(jti) >= 8) AND (length(jti) <= 128)))
);

ALTER TABLE ONLY tidegate.assertion FORCE ROW LEVEL SECURITY;

CREATE TABLE tidegate.batch (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    stream text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    count integer NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    sha256 bytea NOT NULL,
    ingested_at timestamp with time zone DEFAULT now() NOT NULL,
    late boolean NOT NULL,
    clock smallint DEFAULT 0 NOT NULL,
    boot text,
    monotonic_us bigint,
    CONSTRAINT batch_boot_check CHECK ((length(boot) <= 64)),
    CONSTRAINT batch_clock_check CHECK (((clock >= 0) AND (clock <= 2)))
);

ALTER TABLE ONLY tidegate.batch FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE tidegate.batch IS 'What was received: finds clones by their hash, and back-filled stretches';

COMMENT ON COLUMN tidegate.batch.clock IS 'As of sample_chunk; boot and monotonic_us where it is not 0';

CREATE TABLE tidegate.claim (
    hash bytea NOT NULL,
    tenant_id uuid NOT NULL,
    site_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    uses_left integer DEFAULT 1 NOT NULL,
    used_by bytea,
    gateway_id uuid,
    CONSTRAINT claim_hash_check CHECK ((length(hash) = 32)),
    CONSTRAINT claim_used_by_check CHECK ((length(used_by) = 32)),
    CONSTRAINT claim_uses_left_check CHECK ((uses_left >= 0))
);

ALTER TABLE ONLY tidegate.claim FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN tidegate.claim.used_by IS 'SHA-256 of the public key that used it last';

CREATE TABLE tidegate.clock_repair (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    boot text NOT NULL,
    event_id text NOT NULL,
    offset_us bigint NOT NULL,
    froms bigint[] NOT NULL,
    tos bigint[] NOT NULL,
    offsets bigint[] NOT NULL,
    noticed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT clock_repair_boot_check CHECK (((length(boot) >= 1) AND (length(boot) <= 64))),
    CONSTRAINT clock_repair_event_id_check CHECK (((length(event_id) >= 1) AND (length(event_id) <= 100)))
);

ALTER TABLE ONLY tidegate.clock_repair FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE tidegate.clock_repair IS 'Kept, because samples of such a boot may still come';

CREATE TABLE tidegate.command (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    issued_by text NOT NULL,
    issued_at timestamp with time zone DEFAULT now() NOT NULL,
    not_after timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    acknowledged_at timestamp with time zone,
    ended_at timestamp with time zone,
    idempotency_key text NOT NULL,
    request_sha256 bytea NOT NULL,
    CONSTRAINT command_idempotency_key_check CHECK (((length(idempotency_key) >= 1) AND (length(idempotency_key) <= 200))),
    CONSTRAINT command_issued_by_check CHECK ((length(issued_by) <= 254)),
    CONSTRAINT command_name_check CHECK (((length(name) >= 1) AND (length(name) <= 64))),
    CONSTRAINT command_reason_check CHECK ((length(reason) <= 500)),
    CONSTRAINT command_request_sha256_check CHECK ((length(request_sha256) = 32)),
    CONSTRAINT command_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'acknowledged'::text, 'succeeded'::text, 'failed'::text, 'expired'::text])))
);

ALTER TABLE ONLY tidegate.command FORCE ROW LEVEL SECURITY;

CREATE TABLE tidegate.device (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    name text NOT NULL,
    protocol text DEFAULT ''::text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    profile text DEFAULT ''::text NOT NULL,
    vendor text DEFAULT ''::text NOT NULL,
    model text DEFAULT ''::text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    silent_since timestamp with time zone,
    silent_reason text,
    declared_at timestamp with time zone,
    CONSTRAINT device_address_check CHECK ((length(address) <= 200)),
    CONSTRAINT device_description_check CHECK ((length(description) <= 200)),
    CONSTRAINT device_model_check CHECK ((length(model) <= 100)),
    CONSTRAINT device_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT device_profile_check CHECK ((length(profile) <= 100)),
    CONSTRAINT device_protocol_check CHECK ((length(protocol) <= 32)),
    CONSTRAINT device_vendor_check CHECK ((length(vendor) <= 100))
);

ALTER TABLE ONLY tidegate.device FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN tidegate.device.declared_at IS 'null: only seen in samples, never declared';

CREATE TABLE tidegate.gap (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    stream text NOT NULL,
    epoch text NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    count bigint NOT NULL,
    reason text NOT NULL,
    noticed_at timestamp with time zone NOT NULL,
    CONSTRAINT gap_check CHECK ((last >= first)),
    CONSTRAINT gap_count_check CHECK ((count >= 0)),
    CONSTRAINT gap_epoch_check CHECK (((length(epoch) >= 1) AND (length(epoch) <= 64))),
    CONSTRAINT gap_reason_check CHECK ((length(reason) <= 500)),
    CONSTRAINT gap_stream_check CHECK ((stream = ANY (ARRAY['events'::text, 'samples'::text])))
);

ALTER TABLE ONLY tidegate.gap FORCE ROW LEVEL SECURITY;

CREATE TABLE tidegate.gateway (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    site_id uuid NOT NULL,
    name text NOT NULL,
    status text DEFAULT 'enrolled'::text NOT NULL,
    public_key_sha256 bytea NOT NULL,
    certificate_sha256 bytea NOT NULL,
    certificate bytea NOT NULL,
    certificate_serial text NOT NULL,
    certificate_expires_at timestamp with time zone NOT NULL,
    version text NOT NULL,
    enrolled_at timestamp with time zone NOT NULL,
    last_contact_at timestamp with time zone,
    backlog_batches bigint DEFAULT 0 NOT NULL,
    backlog_samples bigint DEFAULT 0 NOT NULL,
    backlog_oldest_at timestamp with time zone,
    CONSTRAINT gateway_certificate_sha256_check CHECK ((length(certificate_sha256) = 32)),
    CONSTRAINT gateway_name_check CHECK (((length(name) >= 1) AND (length(name) <= 63))),
    CONSTRAINT gateway_public_key_sha256_check CHECK ((length(public_key_sha256) = 32)),
    CONSTRAINT gateway_status_check CHECK ((status = ANY (ARRAY['enrolled'::text, 'suspended'::text]))),
    CONSTRAINT gateway_version_check CHECK ((length(version) <= 64))
);

ALTER TABLE ONLY tidegate.gateway FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN tidegate.gateway.certificate IS 'DER of the newest one; verifies the assertions';

CREATE TABLE tidegate.gateway_event (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    id text NOT NULL,
    kind text NOT NULL,
    "time" timestamp with time zone NOT NULL,
    body jsonb NOT NULL,
    ingested_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT gateway_event_id_check CHECK (((length(id) >= 1) AND (length(id) <= 100))),
    CONSTRAINT gateway_event_kind_check CHECK (((length(kind) >= 1) AND (length(kind) <= 100)))
);

ALTER TABLE ONLY tidegate.gateway_event FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE tidegate.gateway_event IS 'Every event, also of kinds that this version does not know';

CREATE TABLE tidegate.latest (
    tenant_id uuid NOT NULL,
    point_id bigint NOT NULL,
    "time" timestamp with time zone NOT NULL,
    value double precision,
    text text,
    quality smallint NOT NULL,
    reason text NOT NULL,
    good_at timestamp with time zone,
    good_value double precision,
    good_text text
)
WITH (fillfactor='50');

ALTER TABLE ONLY tidegate.latest FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE tidegate.latest IS 'The newest sample of each point, and its newest good one';

CREATE TABLE tidegate.membership (
    tenant_id uuid NOT NULL,
    person_id uuid NOT NULL,
    role text NOT NULL,
    CONSTRAINT membership_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'admin'::text])))
);

ALTER TABLE ONLY tidegate.membership FORCE ROW LEVEL SECURITY;

CREATE TABLE tidegate.outage (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    CONSTRAINT outage_check CHECK ((ended_at > began_at))
);

ALTER TABLE ONLY tidegate.outage FORCE ROW LEVEL SECURITY;

CREATE TABLE tidegate.person (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    password text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT person_email_check CHECK ((((length(email) >= 3) AND (length(email) <= 254)) AND (email = lower(email)))),
    CONSTRAINT person_name_check CHECK ((length(name) <= 100))
);

ALTER TABLE ONLY tidegate.person FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN tidegate.person.password IS 'Argon2id string; null: signs in by link only';

CREATE TABLE tidegate.point (
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    device_id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    kind text DEFAULT 'float'::text NOT NULL,
    unit text DEFAULT ''::text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    decimals smallint,
    interval_s double precision DEFAULT 1 NOT NULL,
    max_silence_s double precision DEFAULT 60 NOT NULL,
    declared_at timestamp with time zone,
    CONSTRAINT point_decimals_check CHECK (((decimals >= 0) AND (decimals <= 6))),
    CONSTRAINT point_description_check CHECK ((length(description) <= 200)),
    CONSTRAINT point_key_check CHECK (((length(key) >= 1) AND (length(key) <= 200))),
    CONSTRAINT point_kind_check CHECK ((kind = ANY (ARRAY['float'::text, 'integer'::text, 'boolean'::text, 'text'::text, 'enumeration'::text]))),
    CONSTRAINT point_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT point_unit_check CHECK ((length(unit) <= 32))
);

ALTER TABLE ONLY tidegate.point FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN tidegate.point.declared_at IS 'null: only seen in samples, or no longer declared';

ALTER TABLE tidegate.point ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tidegate.point_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE tidegate.sample_chunk (
    tenant_id uuid NOT NULL,
    point_id bigint NOT NULL,
    first timestamp with time zone NOT NULL,
    last timestamp with time zone NOT NULL,
    count integer NOT NULL,
    times bigint[] NOT NULL,
    "values" double precision[] NOT NULL,
    qualities smallint[],
    reasons text[],
    texts text[],
    ingested_at timestamp with time zone DEFAULT now() NOT NULL,
    tier smallint DEFAULT 0 NOT NULL,
    clock smallint DEFAULT 0 NOT NULL,
    boot text,
    CONSTRAINT sample_chunk_boot_check CHECK ((length(boot) <= 64)),
    CONSTRAINT sample_chunk_clock_check CHECK (((clock >= 0) AND (clock <= 2))),
    CONSTRAINT sample_chunk_tier_check CHECK (((tier >= 0) AND (tier <= 2)))
)
PARTITION BY RANGE (first);
ALTER TABLE ONLY tidegate.sample_chunk ALTER COLUMN times SET STORAGE MAIN;
ALTER TABLE ONLY tidegate.sample_chunk ALTER COLUMN "values" SET STORAGE MAIN;

ALTER TABLE ONLY tidegate.sample_chunk FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE tidegate.sample_chunk IS 'Samples of one point within one hour; times in µs since 1970';

COMMENT ON COLUMN tidegate.sample_chunk."values" IS 'NaN for a bad sample and for text';

COMMENT ON COLUMN tidegate.sample_chunk.qualities IS '0 good, 1 uncertain, 2 bad; null: all are good';

COMMENT ON COLUMN tidegate.sample_chunk.ingested_at IS 'When the newest of its samples arrived';

COMMENT ON COLUMN tidegate.sample_chunk.tier IS '0 as it arrived, 1 joined while its hour ran, 2 joined after its hour';

COMMENT ON COLUMN tidegate.sample_chunk.clock IS '0 nothing to say, 1 times in doubt: the clock was not synchronised, 2 times repaired';

COMMENT ON COLUMN tidegate.sample_chunk.boot IS 'Of times in doubt: the boot of the gateway that gave them';

CREATE VIEW tidegate.sample WITH (security_invoker='true') AS
 SELECT chunk.tenant_id,
    chunk.point_id,
    tidegate.time_of(item."time") AS "time",
    NULLIF(item.value, 'NaN'::double precision) AS value,
    item.text,
    COALESCE(item.quality, (0)::smallint) AS quality,
    COALESCE(item.reason,
        CASE chunk.clock
            WHEN 1 THEN 'clock_unsynchronised'::text
            WHEN 2 THEN 'clock_repaired'::text
            ELSE ''::text
        END) AS reason
   FROM (tidegate.sample_chunk chunk
     CROSS JOIN LATERAL UNNEST(chunk.times, chunk."values", chunk.texts, chunk.qualities, chunk.reasons) item("time", value, text, quality, reason));

COMMENT ON VIEW tidegate.sample IS 'One row a sample, for whoever asks with SQL';

CREATE TABLE tidegate.sample_chunk_odd (
    tenant_id uuid CONSTRAINT sample_chunk_tenant_id_not_null NOT NULL,
    point_id bigint CONSTRAINT sample_chunk_point_id_not_null NOT NULL,
    first timestamp with time zone CONSTRAINT sample_chunk_first_not_null NOT NULL,
    last timestamp with time zone CONSTRAINT sample_chunk_last_not_null NOT NULL,
    count integer CONSTRAINT sample_chunk_count_not_null NOT NULL,
    times bigint[] CONSTRAINT sample_chunk_times_not_null NOT NULL,
    "values" double precision[] CONSTRAINT sample_chunk_values_not_null NOT NULL,
    qualities smallint[],
    reasons text[],
    texts text[],
    ingested_at timestamp with time zone DEFAULT now() CONSTRAINT sample_chunk_ingested_at_not_null NOT NULL,
    tier smallint DEFAULT 0 CONSTRAINT sample_chunk_tier_not_null NOT NULL,
    clock smallint DEFAULT 0 CONSTRAINT sample_chunk_clock_not_null NOT NULL,
    boot text,
    CONSTRAINT sample_chunk_boot_check CHECK ((length(boot) <= 64)),
    CONSTRAINT sample_chunk_clock_check CHECK (((clock >= 0) AND (clock <= 2))),
    CONSTRAINT sample_chunk_tier_check CHECK (((tier >= 0) AND (tier <= 2)))
);
ALTER TABLE ONLY tidegate.sample_chunk_odd ALTER COLUMN times SET STORAGE MAIN;
ALTER TABLE ONLY tidegate.sample_chunk_odd ALTER COLUMN "values" SET STORAGE MAIN;

ALTER TABLE ONLY tidegate.sample_chunk_odd FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE tidegate.sample_chunk_odd IS 'Days without a partition of their own: clocks at 1970 or 2038';

CREATE TABLE tidegate.schema_migration (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE tidegate.session (
    hash bytea NOT NULL,
    tenant_id uuid NOT NULL,
    person_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT session_hash_check CHECK ((length(hash) = 32))
);

ALTER TABLE ONLY tidegate.session FORCE ROW LEVEL SECURITY;

CREATE TABLE tidegate.sign_in_link (
    hash bytea NOT NULL,
    tenant_id uuid NOT NULL,
    person_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT sign_in_link_hash_check CHECK ((length(hash) = 32))
);

ALTER TABLE ONLY tidegate.sign_in_link FORCE ROW LEVEL SECURITY;

CREATE TABLE tidegate.site (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT site_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT site_time_zone_check CHECK ((length(time_zone) <= 64))
);

ALTER TABLE ONLY tidegate.site FORCE ROW LEVEL SECURITY;

CREATE TABLE tidegate.stream (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    stream text NOT NULL,
    epoch text NOT NULL,
    received int8multirange DEFAULT '{}'::int8multirange NOT NULL,
    lost int8multirange DEFAULT '{}'::int8multirange NOT NULL,
    samples bigint DEFAULT 0 NOT NULL,
    CONSTRAINT stream_epoch_check CHECK (((length(epoch) >= 1) AND (length(epoch) <= 64))),
    CONSTRAINT stream_stream_check CHECK ((stream = ANY (ARRAY['events'::text, 'samples'::text])))
)
WITH (fillfactor='50');

ALTER TABLE ONLY tidegate.stream FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN tidegate.stream.lost IS 'Numbers that a gap event gave up; without those that came after all';

CREATE TABLE tidegate.tenant (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100)))
);

ALTER TABLE ONLY tidegate.tenant FORCE ROW LEVEL SECURITY;

ALTER TABLE ONLY tidegate.sample_chunk ATTACH PARTITION tidegate.sample_chunk_odd DEFAULT;

ALTER TABLE ONLY tidegate.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY tidegate.assertion
    ADD CONSTRAINT assertion_pkey PRIMARY KEY (tenant_id, gateway_id, jti);

ALTER TABLE ONLY tidegate.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (tenant_id, gateway_id, stream, epoch, seq);

ALTER TABLE ONLY tidegate.claim
    ADD CONSTRAINT claim_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY tidegate.clock_repair
    ADD CONSTRAINT clock_repair_pkey PRIMARY KEY (tenant_id, gateway_id, boot, event_id);

ALTER TABLE ONLY tidegate.command
    ADD CONSTRAINT command_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY tidegate.command
    ADD CONSTRAINT command_tenant_id_gateway_id_idempotency_key_key UNIQUE (tenant_id, gateway_id, idempotency_key);

ALTER TABLE ONLY tidegate.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY tidegate.device
    ADD CONSTRAINT device_tenant_id_gateway_id_name_key UNIQUE (tenant_id, gateway_id, name);

ALTER TABLE ONLY tidegate.gap
    ADD CONSTRAINT gap_pkey PRIMARY KEY (tenant_id, gateway_id, stream, epoch, first, last);

ALTER TABLE ONLY tidegate.gateway_event
    ADD CONSTRAINT gateway_event_pkey PRIMARY KEY (tenant_id, gateway_id, id);

ALTER TABLE ONLY tidegate.gateway
    ADD CONSTRAINT gateway_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tidegate.gateway
    ADD CONSTRAINT gateway_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY tidegate.gateway
    ADD CONSTRAINT gateway_tenant_id_name_key UNIQUE (tenant_id, name);

ALTER TABLE ONLY tidegate.gateway
    ADD CONSTRAINT gateway_tenant_id_public_key_sha256_key UNIQUE (tenant_id, public_key_sha256);

ALTER TABLE ONLY tidegate.latest
    ADD CONSTRAINT latest_pkey PRIMARY KEY (tenant_id, point_id);

ALTER TABLE ONLY tidegate.membership
    ADD CONSTRAINT membership_pkey PRIMARY KEY (tenant_id, person_id);

ALTER TABLE ONLY tidegate.outage
    ADD CONSTRAINT outage_pkey PRIMARY KEY (tenant_id, gateway_id, began_at);

ALTER TABLE ONLY tidegate.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY tidegate.person
    ADD CONSTRAINT person_tenant_id_email_key UNIQUE (tenant_id, email);

ALTER TABLE ONLY tidegate.point
    ADD CONSTRAINT point_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY tidegate.point
    ADD CONSTRAINT point_tenant_id_gateway_id_key_key UNIQUE (tenant_id, gateway_id, key);

ALTER TABLE ONLY tidegate.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY tidegate.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY tidegate.sign_in_link
    ADD CONSTRAINT sign_in_link_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY tidegate.site
    ADD CONSTRAINT site_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY tidegate.site
    ADD CONSTRAINT site_tenant_id_name_key UNIQUE (tenant_id, name);

ALTER TABLE ONLY tidegate.stream
    ADD CONSTRAINT stream_pkey PRIMARY KEY (tenant_id, gateway_id, stream, epoch);

ALTER TABLE ONLY tidegate.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id);

CREATE INDEX alert_active ON tidegate.alert USING btree (tenant_id, gateway_id) WHERE ((cleared_at IS NULL) AND (raised_at IS NOT NULL));

CREATE INDEX alert_raised ON tidegate.alert USING btree (tenant_id, raised_at DESC, id DESC);

CREATE INDEX batch_doubt ON tidegate.batch USING btree (tenant_id, gateway_id, boot) WHERE (clock = 1);

CREATE INDEX batch_late ON tidegate.batch USING btree (tenant_id, gateway_id, last_at) WHERE late;

CREATE INDEX claim_site ON tidegate.claim USING btree (tenant_id, site_id);

CREATE INDEX command_gateway ON tidegate.command USING btree (tenant_id, gateway_id, issued_at DESC);

CREATE INDEX command_waiting ON tidegate.command USING btree (tenant_id, gateway_id) WHERE (state = ANY (ARRAY['queued'::text, 'sent'::text]));

CREATE INDEX gateway_event_kind ON tidegate.gateway_event USING btree (tenant_id, gateway_id, kind, "time");

CREATE INDEX gateway_site ON tidegate.gateway USING btree (tenant_id, site_id);

CREATE INDEX person_email ON tidegate.person USING btree (email);

CREATE INDEX point_device ON tidegate.point USING btree (tenant_id, device_id);

CREATE INDEX sample_chunk_doubt ON ONLY tidegate.sample_chunk USING btree (tenant_id, boot, point_id, first) WHERE (clock = 1);

CREATE INDEX sample_chunk_loose ON ONLY tidegate.sample_chunk USING btree (tenant_id, first) WHERE (tier < 2);

CREATE INDEX sample_chunk_point ON ONLY tidegate.sample_chunk USING btree (tenant_id, point_id, first);

CREATE INDEX sample_chunk_odd_tenant_id_boot_point_id_first_idx ON tidegate.sample_chunk_odd USING btree (tenant_id, boot, point_id, first) WHERE (clock = 1);

CREATE INDEX sample_chunk_odd_tenant_id_first_idx ON tidegate.sample_chunk_odd USING btree (tenant_id, first) WHERE (tier < 2);

CREATE INDEX sample_chunk_odd_tenant_id_point_id_first_idx ON tidegate.sample_chunk_odd USING btree (tenant_id, point_id, first);

CREATE INDEX session_person ON tidegate.session USING btree (tenant_id, person_id);

CREATE INDEX sign_in_link_person ON tidegate.sign_in_link USING btree (tenant_id, person_id);

ALTER INDEX tidegate.sample_chunk_doubt ATTACH PARTITION tidegate.sample_chunk_odd_tenant_id_boot_point_id_first_idx;

ALTER INDEX tidegate.sample_chunk_loose ATTACH PARTITION tidegate.sample_chunk_odd_tenant_id_first_idx;

ALTER INDEX tidegate.sample_chunk_point ATTACH PARTITION tidegate.sample_chunk_odd_tenant_id_point_id_first_idx;

ALTER TABLE ONLY tidegate.alert
    ADD CONSTRAINT alert_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.assertion
    ADD CONSTRAINT assertion_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.claim
    ADD CONSTRAINT claim_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id);

ALTER TABLE ONLY tidegate.claim
    ADD CONSTRAINT claim_tenant_id_site_id_fkey FOREIGN KEY (tenant_id, site_id) REFERENCES tidegate.site(tenant_id, id);

ALTER TABLE ONLY tidegate.clock_repair
    ADD CONSTRAINT clock_repair_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.command
    ADD CONSTRAINT command_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.device
    ADD CONSTRAINT device_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.gap
    ADD CONSTRAINT gap_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.gateway_event
    ADD CONSTRAINT gateway_event_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.gateway
    ADD CONSTRAINT gateway_tenant_id_site_id_fkey FOREIGN KEY (tenant_id, site_id) REFERENCES tidegate.site(tenant_id, id);

ALTER TABLE ONLY tidegate.membership
    ADD CONSTRAINT membership_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tidegate.tenant(tenant_id);

ALTER TABLE ONLY tidegate.membership
    ADD CONSTRAINT membership_tenant_id_person_id_fkey FOREIGN KEY (tenant_id, person_id) REFERENCES tidegate.person(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.outage
    ADD CONSTRAINT outage_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.person
    ADD CONSTRAINT person_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tidegate.tenant(tenant_id);

ALTER TABLE ONLY tidegate.point
    ADD CONSTRAINT point_tenant_id_device_id_fkey FOREIGN KEY (tenant_id, device_id) REFERENCES tidegate.device(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.point
    ADD CONSTRAINT point_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.session
    ADD CONSTRAINT session_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tidegate.tenant(tenant_id);

ALTER TABLE ONLY tidegate.session
    ADD CONSTRAINT session_tenant_id_person_id_fkey FOREIGN KEY (tenant_id, person_id) REFERENCES tidegate.person(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.sign_in_link
    ADD CONSTRAINT sign_in_link_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tidegate.tenant(tenant_id);

ALTER TABLE ONLY tidegate.sign_in_link
    ADD CONSTRAINT sign_in_link_tenant_id_person_id_fkey FOREIGN KEY (tenant_id, person_id) REFERENCES tidegate.person(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY tidegate.site
    ADD CONSTRAINT site_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tidegate.tenant(tenant_id);

ALTER TABLE ONLY tidegate.stream
    ADD CONSTRAINT stream_tenant_id_gateway_id_fkey FOREIGN KEY (tenant_id, gateway_id) REFERENCES tidegate.gateway(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE tidegate.alert ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.assertion ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.batch ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.claim ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.clock_repair ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.command ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.device ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.gap ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.gateway ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.gateway_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.latest ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.membership ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.outage ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.person ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.point ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.sample_chunk ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.sample_chunk_odd ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.session ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.sign_in_link ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.site ENABLE ROW LEVEL SECURITY;

ALTER TABLE tidegate.stream ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant ON tidegate.alert USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.assertion USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.batch USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.claim USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.clock_repair USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.command USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.device USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.gap USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.gateway USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.gateway_event USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.latest USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.membership USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.outage USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.person USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.point USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.sample_chunk USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.sample_chunk_odd USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.session USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.sign_in_link USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.site USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

CREATE POLICY tenant ON tidegate.stream USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

ALTER TABLE tidegate.tenant ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant ON tidegate.tenant USING ((tenant_id = (current_setting('tidegate.tenant'::text))::uuid));

GRANT USAGE ON SCHEMA tidegate TO tidegate_app;
GRANT USAGE ON SCHEMA tidegate TO tidegate_ingest;
GRANT USAGE ON SCHEMA tidegate TO tidegate_login;
GRANT USAGE ON SCHEMA tidegate TO tidegate_merge;

REVOKE ALL ON FUNCTION tidegate.clock_shift(gateway uuid, of_boot text, us bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.clock_shift(gateway uuid, of_boot text, us bigint) TO tidegate_app;
GRANT ALL ON FUNCTION tidegate.clock_shift(gateway uuid, of_boot text, us bigint) TO tidegate_merge;

REVOKE ALL ON FUNCTION tidegate.join_chunks(point bigint, low timestamp with time zone, high timestamp with time zone, into_tier smallint, largest integer, of_clock smallint, of_boot text) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.join_chunks(point bigint, low timestamp with time zone, high timestamp with time zone, into_tier smallint, largest integer, of_clock smallint, of_boot text) TO tidegate_app;

REVOKE ALL ON FUNCTION tidegate.keep_sample_partitions() FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.keep_sample_partitions() TO tidegate_app;

REVOKE ALL ON FUNCTION tidegate.repair_chunks(gateway uuid, point bigint, of_boot text, low timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.repair_chunks(gateway uuid, point bigint, of_boot text, low timestamp with time zone) TO tidegate_app;

REVOKE ALL ON FUNCTION tidegate.set_tenant(tenant uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.set_tenant(tenant uuid) TO tidegate_app;
GRANT ALL ON FUNCTION tidegate.set_tenant(tenant uuid) TO tidegate_ingest;

REVOKE ALL ON FUNCTION tidegate.tenant_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.tenant_ids() TO tidegate_app;

REVOKE ALL ON FUNCTION tidegate.tenant_of_claim(secret bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.tenant_of_claim(secret bytea) TO tidegate_app;

REVOKE ALL ON FUNCTION tidegate.tenant_of_gateway(wanted uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.tenant_of_gateway(wanted uuid) TO tidegate_app;

REVOKE ALL ON FUNCTION tidegate.tenant_of_session(secret bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.tenant_of_session(secret bytea) TO tidegate_app;

REVOKE ALL ON FUNCTION tidegate.tenant_of_sign_in_link(secret bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.tenant_of_sign_in_link(secret bytea) TO tidegate_app;

REVOKE ALL ON FUNCTION tidegate.tenants_of_email(address text) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.tenants_of_email(address text) TO tidegate_app;

REVOKE ALL ON FUNCTION tidegate.time_of(us bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.time_of(us bigint) TO tidegate_app;
GRANT ALL ON FUNCTION tidegate.time_of(us bigint) TO tidegate_merge;

REVOKE ALL ON FUNCTION tidegate.wins(fresh timestamp with time zone, held timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION tidegate.wins(fresh timestamp with time zone, held timestamp with time zone) TO tidegate_app;
GRANT ALL ON FUNCTION tidegate.wins(fresh timestamp with time zone, held timestamp with time zone) TO tidegate_merge;

GRANT SELECT,INSERT,UPDATE ON TABLE tidegate.alert TO tidegate_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.assertion TO tidegate_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.batch TO tidegate_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.claim TO tidegate_app;

GRANT SELECT(hash) ON TABLE tidegate.claim TO tidegate_login;

GRANT SELECT(tenant_id) ON TABLE tidegate.claim TO tidegate_login;

GRANT SELECT,INSERT ON TABLE tidegate.clock_repair TO tidegate_app;
GRANT SELECT ON TABLE tidegate.clock_repair TO tidegate_merge;

GRANT SELECT,INSERT,UPDATE ON TABLE tidegate.command TO tidegate_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.device TO tidegate_app;

GRANT SELECT,INSERT ON TABLE tidegate.gap TO tidegate_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.gateway TO tidegate_app;

GRANT SELECT(id) ON TABLE tidegate.gateway TO tidegate_login;

GRANT SELECT(tenant_id) ON TABLE tidegate.gateway TO tidegate_login;

GRANT SELECT,INSERT ON TABLE tidegate.gateway_event TO tidegate_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.latest TO tidegate_app;
GRANT SELECT,INSERT,UPDATE ON TABLE tidegate.latest TO tidegate_merge;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.membership TO tidegate_app;

GRANT SELECT,INSERT,DELETE ON TABLE tidegate.outage TO tidegate_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.person TO tidegate_app;

GRANT SELECT(tenant_id) ON TABLE tidegate.person TO tidegate_login;

GRANT SELECT(email) ON TABLE tidegate.person TO tidegate_login;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.point TO tidegate_app;

GRANT SELECT ON TABLE tidegate.sample_chunk TO tidegate_app;
GRANT INSERT ON TABLE tidegate.sample_chunk TO tidegate_ingest;
GRANT SELECT,INSERT,DELETE ON TABLE tidegate.sample_chunk TO tidegate_merge;

GRANT SELECT ON TABLE tidegate.sample TO tidegate_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.session TO tidegate_app;

GRANT SELECT(hash) ON TABLE tidegate.session TO tidegate_login;

GRANT SELECT(tenant_id) ON TABLE tidegate.session TO tidegate_login;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.sign_in_link TO tidegate_app;

GRANT SELECT(hash) ON TABLE tidegate.sign_in_link TO tidegate_login;

GRANT SELECT(tenant_id) ON TABLE tidegate.sign_in_link TO tidegate_login;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.site TO tidegate_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tidegate.stream TO tidegate_app;

GRANT SELECT,INSERT ON TABLE tidegate.tenant TO tidegate_app;

GRANT SELECT(tenant_id) ON TABLE tidegate.tenant TO tidegate_login;
