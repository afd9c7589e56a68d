-- Samples whose gateway's clock was not held by anything, and how their times are repaired.

ALTER TABLE sample_chunk ADD COLUMN clock smallint NOT NULL DEFAULT 0 CHECK (clock BETWEEN 0 AND 2);
ALTER TABLE sample_chunk ADD COLUMN boot text CHECK (length(boot) <= 64);
COMMENT ON COLUMN sample_chunk.clock IS
    '0 nothing to say, 1 times in doubt: the clock was not synchronised, 2 times repaired';
COMMENT ON COLUMN sample_chunk.boot IS 'Of times in doubt: the boot of the gateway that gave them';
CREATE INDEX sample_chunk_doubt ON sample_chunk (tenant_id, boot, point_id, first) WHERE clock = 1;

ALTER TABLE batch ADD COLUMN clock smallint NOT NULL DEFAULT 0 CHECK (clock BETWEEN 0 AND 2);
ALTER TABLE batch ADD COLUMN boot text CHECK (length(boot) <= 64);
ALTER TABLE batch ADD COLUMN monotonic_us bigint;
COMMENT ON COLUMN batch.clock IS 'As of sample_chunk; boot and monotonic_us where it is not 0';
CREATE INDEX batch_doubt ON batch (tenant_id, gateway_id, boot) WHERE clock = 1;

-- What gateways told when their clock was synchronised: stretches of a boot, in monotonic time, and
-- the offset (wall minus monotonic time) that was believed in each; offset_us is the true one.
CREATE TABLE clock_repair (
    tenant_id uuid NOT NULL,
    gateway_id uuid NOT NULL,
    boot text NOT NULL CHECK (length(boot) BETWEEN 1 AND 64),
    event_id text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 100),
    offset_us bigint NOT NULL,
    froms bigint[] NOT NULL,
    tos bigint[] NOT NULL,
    offsets bigint[] NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, gateway_id, boot, event_id),
    FOREIGN KEY (tenant_id, gateway_id) REFERENCES gateway (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE clock_repair IS 'Kept, because samples of such a boot may still come';
ALTER TABLE clock_repair ENABLE ROW LEVEL SECURITY;
ALTER TABLE clock_repair FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON clock_repair
    USING (tenant_id = current_setting('tidegate.tenant')::uuid);
GRANT SELECT, INSERT ON clock_repair TO tidegate_app;
GRANT SELECT ON clock_repair TO tidegate_merge;

-- A sample says that its time is in doubt or was repaired, unless it has worse to say.
DROP VIEW sample;
CREATE VIEW sample WITH (security_invoker = true) AS
    SELECT
        chunk.tenant_id,
        chunk.point_id,
        time_of(item.time) AS time,
        nullif(item.value, 'NaN') AS value,
        item.text,
        coalesce(item.quality, 0::smallint) AS quality,
        coalesce(item.reason, CASE chunk.clock
            WHEN 1 THEN 'clock_unsynchronised' WHEN 2 THEN 'clock_repaired' ELSE '' END) AS reason
    FROM sample_chunk AS chunk
    CROSS JOIN LATERAL unnest(
        chunk.times, chunk.values, chunk.texts, chunk.qualities, chunk.reasons
    ) AS item (time, value, text, quality, reason);
COMMENT ON VIEW sample IS 'One row a sample, for whoever asks with SQL';
GRANT SELECT ON sample TO tidegate_app;

-- As in 0006, and chunks are joined with their like only, so that none loses what its clock says.
GRANT CREATE ON SCHEMA tidegate TO tidegate_merge;
DROP FUNCTION join_chunks(bigint, timestamptz, timestamptz, smallint, int);
CREATE FUNCTION join_chunks(
    point bigint, low timestamptz, high timestamptz, into_tier smallint, largest int,
    of_clock smallint DEFAULT 0, of_boot text DEFAULT NULL
) RETURNS int
    LANGUAGE sql SECURITY DEFINER SET search_path = tidegate, pg_catalog
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

-- How far a time was off: that of the stretch in which, by its own offset, it was given. A sample is
-- given 5 s of grace, because adapters notice a step of the clock a little later or earlier.
CREATE FUNCTION clock_shift(gateway uuid, of_boot text, us bigint) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = tidegate, pg_catalog
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
GRANT EXECUTE ON FUNCTION clock_shift(uuid, text, bigint) TO tidegate_app, tidegate_merge;

-- Moves the samples of one point and hour whose times are in doubt to where they belong; what no
-- stretch covers stays. Times that were off by less than 1 s are right, and nothing more is said.
-- The same rights and reasons as join_chunks: it takes no samples, and what it takes it puts back.
CREATE FUNCTION repair_chunks(gateway uuid, point bigint, of_boot text, low timestamptz)
    RETURNS int
    LANGUAGE sql SECURITY DEFINER SET search_path = tidegate, pg_catalog
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
GRANT SELECT, INSERT, UPDATE ON latest TO tidegate_merge;
GRANT EXECUTE ON FUNCTION time_of(bigint), wins(timestamptz, timestamptz) TO tidegate_merge;
ALTER FUNCTION join_chunks(bigint, timestamptz, timestamptz, smallint, int, smallint, text)
    OWNER TO tidegate_merge;
ALTER FUNCTION repair_chunks(uuid, bigint, text, timestamptz) OWNER TO tidegate_merge;
REVOKE CREATE ON SCHEMA tidegate FROM tidegate_merge;
GRANT EXECUTE ON FUNCTION
    join_chunks(bigint, timestamptz, timestamptz, smallint, int, smallint, text),
    repair_chunks(uuid, bigint, text, timestamptz)
    TO tidegate_app;
