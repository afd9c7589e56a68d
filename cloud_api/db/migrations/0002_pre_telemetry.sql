-- Streams, batches, events and gaps of a gateway; its samples as chunks; the newest of each point.
--
-- batch, latest and sample_chunk have no foreign keys: they are written for every upload, with ids
-- that the same transaction has read under row-level security.

CREATE TABLE stream (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    stream text NOT NULL CHECK (stream IN ('events', 'samples')),
    epoch text NOT NULL CHECK (length(epoch) BETWEEN 1 AND 64),
    received int8multirange NOT NULL DEFAULT '{}',
    lost int8multirange NOT NULL DEFAULT '{}',
    samples bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, gateway_id, stream, epoch),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
) WITH (fillfactor = 50);
COMMENT ON COLUMN stream.lost IS 'Numbers that a gap event gave up; without those that came after all';

CREATE TABLE batch (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    stream text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    count int NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    sha256 bytea NOT NULL,
    ingested_at timestamptz NOT NULL DEFAULT now(),
    late boolean NOT NULL,
    PRIMARY KEY (tenant_id, gateway_id, stream, epoch, seq)
);
COMMENT ON TABLE batch IS 'What was received: finds clones by their hash, and back-filled stretches';
CREATE INDEX batch_late ON batch (tenant_id, gateway_id, last_at) WHERE late;

CREATE TABLE gateway_event (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    id text NOT NULL CHECK (length(id) BETWEEN 1 AND 100),
    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
    time timestamptz NOT NULL,
    body jsonb NOT NULL,
    ingested_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, gateway_id, id),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE gateway_event IS 'Every event, also of kinds that this version does not know';
CREATE INDEX gateway_event_kind ON gateway_event (tenant_id, gateway_id, kind, time);

CREATE TABLE gap (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    stream text NOT NULL CHECK (stream IN ('events', 'samples')),
    epoch text NOT NULL CHECK (length(epoch) BETWEEN 1 AND 64),
    first bigint NOT NULL,
    last bigint NOT NULL CHECK (last >= first),
    count bigint NOT NULL CHECK (count >= 0),
    reason text NOT NULL CHECK (length(reason) <= 500),
    noticed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, gateway_id, stream, epoch, first, last),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE latest (
    tenant_id uuid NOT NULL,
    point_id bigint NOT NULL,
    time timestamptz NOT NULL,
    value double precision,
    text text,
    quality smallint NOT NULL,
    reason text NOT NULL,
    good_at timestamptz,
    good_value double precision,
    good_text text,
    PRIMARY KEY (tenant_id, point_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE latest IS 'The newest sample of each point, and its newest good one';

-- The wire counts µs since 1970.
CREATE FUNCTION time_of(us bigint) RETURNS timestamptz
    LANGUAGE sql STABLE
    RETURN timestamptz 'epoch' + us * interval '1 microsecond';

-- Late data never takes the place of newer. A time from the future (a clock that was ahead) would
-- hold it for ever, so it gives way to whatever comes next.
CREATE FUNCTION wins(fresh timestamptz, held timestamptz) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN fresh IS NOT NULL
        AND (held IS NULL OR fresh >= held OR held > now() + interval '5 minutes');
GRANT EXECUTE ON FUNCTION time_of(bigint), wins(timestamptz, timestamptz) TO tidegate_app;

-- Samples -------------------------------------------------------------------------------------

CREATE TABLE sample_chunk (
    tenant_id uuid NOT NULL,
    point_id bigint NOT NULL,
    first timestamptz NOT NULL,
    last timestamptz NOT NULL,
    count int NOT NULL,
    times bigint[] NOT NULL,
    values double precision[] NOT NULL,
    qualities smallint[],
    reasons text[],
    texts text[],
    ingested_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (first);
COMMENT ON TABLE sample_chunk IS 'Samples of one point within one hour; times in µs since 1970';
COMMENT ON COLUMN sample_chunk.values IS 'NaN for a bad sample and for text';
COMMENT ON COLUMN sample_chunk.qualities IS '0 good, 1 uncertain, 2 bad; null: all are good';
-- Compressed in the row: a third quicker to write than moved out of it, and as small.
ALTER TABLE sample_chunk ALTER COLUMN times SET STORAGE MAIN, ALTER COLUMN values SET STORAGE MAIN;
CREATE INDEX sample_chunk_point ON sample_chunk (tenant_id, point_id, first);
CREATE TABLE sample_chunk_odd PARTITION OF sample_chunk DEFAULT;
COMMENT ON TABLE sample_chunk_odd IS 'Days without a partition of their own: clocks at 1970 or 2038';

-- Partitions from yesterday to three days ahead. Only the owner of a table can add partitions, and
-- the runtime never is the owner: so this belongs to the owner, takes nothing, gives nothing and
-- touches no row. A day of which the odd partition already holds samples stays there.
CREATE FUNCTION keep_sample_partitions() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = tidegate, pg_catalog
    SET timezone = 'UTC' SET lock_timeout = '5s'
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
GRANT EXECUTE ON FUNCTION keep_sample_partitions() TO tidegate_app;
SELECT keep_sample_partitions();

CREATE VIEW sample WITH (security_invoker = true) AS
    SELECT
        chunk.tenant_id,
        chunk.point_id,
        time_of(item.time) AS time,
        nullif(item.value, 'NaN') AS value,
        item.text,
        coalesce(item.quality, 0::smallint) AS quality,
        coalesce(item.reason, '') AS reason,
        chunk.ingested_at
    FROM sample_chunk AS chunk
    CROSS JOIN LATERAL unnest(
        chunk.times, chunk.values, chunk.texts, chunk.qualities, chunk.reasons
    ) AS item (time, value, text, quality, reason);
COMMENT ON VIEW sample IS 'One row a sample, for whoever asks with SQL';

-- The fence -----------------------------------------------------------------------------------

ALTER TABLE stream ENABLE ROW LEVEL SECURITY;
ALTER TABLE stream FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON stream USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE batch ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON batch USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE gateway_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway_event FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gateway_event USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE gap ENABLE ROW LEVEL SECURITY;
ALTER TABLE gap FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gap USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE latest ENABLE ROW LEVEL SECURITY;
ALTER TABLE latest FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON latest USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE sample_chunk ENABLE ROW LEVEL SECURITY;
ALTER TABLE sample_chunk FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sample_chunk USING (tenant_id = current_setting('tidegate.tenant')::uuid);
ALTER TABLE sample_chunk_odd ENABLE ROW LEVEL SECURITY;
ALTER TABLE sample_chunk_odd FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sample_chunk_odd USING (tenant_id = current_setting('tidegate.tenant')::uuid);

GRANT SELECT, INSERT, UPDATE, DELETE ON stream, batch, latest TO tidegate_app;
GRANT SELECT, INSERT ON gateway_event, gap TO tidegate_app;
-- The parent only: a partition asked directly would not know its tenant.
GRANT SELECT ON sample_chunk, sample TO tidegate_app;
GRANT INSERT ON sample_chunk TO tidegate_ingest;
