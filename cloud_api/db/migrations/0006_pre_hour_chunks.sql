-- Small chunks become hour chunks, in the background (telemetry/merging).

ALTER TABLE sample_chunk ADD COLUMN tier smallint NOT NULL DEFAULT 0 CHECK (tier BETWEEN 0 AND 2);
COMMENT ON COLUMN sample_chunk.tier IS
    '0 as it arrived, 1 joined while its hour ran, 2 joined after its hour';
COMMENT ON COLUMN sample_chunk.ingested_at IS 'When the newest of its samples arrived';
-- Finds what is still to be joined; whole hours are not in it. In the order of arrival, so that an
-- upload writes at its end only.
CREATE INDEX sample_chunk_loose ON sample_chunk (tenant_id, first) WHERE tier < 2;

-- When a sample arrived is told by its batch; a chunk of many arrivals cannot.
DROP VIEW sample;
CREATE VIEW sample WITH (security_invoker = true) AS
    SELECT
        chunk.tenant_id,
        chunk.point_id,
        time_of(item.time) AS time,
        nullif(item.value, 'NaN') AS value,
        item.text,
        coalesce(item.quality, 0::smallint) AS quality,
        coalesce(item.reason, '') AS reason
    FROM sample_chunk AS chunk
    CROSS JOIN LATERAL unnest(
        chunk.times, chunk.values, chunk.texts, chunk.qualities, chunk.reasons
    ) AS item (time, value, text, quality, reason);
COMMENT ON VIEW sample IS 'One row a sample, for whoever asks with SQL';
GRANT SELECT ON sample TO tidegate_app;

-- Joining takes chunks away and puts one in their place, so somebody has to have the right to delete
-- history. Nobody who can be asked for anything else has it: tidegate_app may run this function and
-- still neither insert, change nor delete a chunk. The function belongs to tidegate_merge, a role
-- that cannot log in and, unlike the owner of a server, does not bypass row-level security: inside
-- it the policies hold, for the tenant of the transaction. It takes no samples and no SQL, only where
-- to look; whatever it is asked, every sample that it takes it puts back, exactly, or fails as a
-- whole. So the worst that a wrong call can do is cut the same samples into other chunks.
--
-- One statement on one snapshot: a reader sees the old chunks or the new one; a chunk that arrives
-- meanwhile is not seen and stays. search_path is fixed.
CREATE FUNCTION join_chunks(
    point bigint, low timestamptz, high timestamptz, into_tier smallint, largest int
) RETURNS int
    LANGUAGE sql SECURITY DEFINER SET search_path = tidegate, pg_catalog
    AS $$
    WITH taken AS (
        DELETE FROM sample_chunk
        WHERE tenant_id = current_setting('tidegate.tenant')::uuid
            AND point_id = point AND first BETWEEN low AND high
            AND date_trunc('hour', low, 'UTC') = date_trunc('hour', high, 'UTC')
            AND (tier < into_tier OR tier = into_tier AND count <= largest)
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
            qualities, reasons, texts, ingested_at, tier)
        SELECT tenant_id, point, first, last, count, times, values, qualities, reasons, texts,
            ingested_at, into_tier
        FROM span CROSS JOIN joined
    )
    SELECT coalesce(sum(chunks), 0)::int FROM span
    $$;
GRANT SELECT, INSERT, DELETE ON sample_chunk TO tidegate_merge;
GRANT USAGE ON SCHEMA tidegate TO tidegate_merge;
GRANT CREATE ON SCHEMA tidegate TO tidegate_merge;
ALTER FUNCTION join_chunks(bigint, timestamptz, timestamptz, smallint, int) OWNER TO tidegate_merge;
REVOKE CREATE ON SCHEMA tidegate FROM tidegate_merge;
GRANT EXECUTE ON FUNCTION join_chunks(bigint, timestamptz, timestamptz, smallint, int)
    TO tidegate_app;
