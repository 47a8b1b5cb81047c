-- name: read_host
SELECT installation.id::text AS installation, coalesce(hosts.engine_id, '') AS engine_id
FROM tinyforge.installation LEFT JOIN tinyforge.hosts ON hosts.name = %(host)s

-- name: read_workloads
SELECT id, kind, host, ref, compose_project FROM tinyforge.workloads WHERE host = %(host)s

-- name: read_rows
SELECT id, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port, last_seen_at IS NOT NULL AS seen
FROM tinyforge.containers WHERE host = %(host)s

-- name: read_rows_by_id
SELECT id, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port, last_seen_at IS NOT NULL AS seen
FROM tinyforge.containers WHERE host <> %(host)s AND id = ANY(%(ids)s)

-- name: expect_rows
-- Locks the rows in the order of their ids, and raises unless each is exactly what was read, or absent if it was absent (rule W7).
-- The arrays are sent in binary (%%b): psycopg makes one of 5,000 texts in 1 ms so, and in 9 ms as text.
WITH locked AS MATERIALIZED (
    SELECT * FROM tinyforge.containers WHERE id = ANY(%(ids)b::text[]) ORDER BY id FOR UPDATE
)
SELECT tinyforge.refuse_moved_rows(array_agg(expected.id))
FROM unnest(
    %(ids)b::text[], %(known)b::boolean[], %(workload_ids)b::text[], %(workload_kinds)b::text[], %(roles)b::text[], %(container_ids)b::text[],
    %(image_refs)b::text[], %(hosts)b::text[], %(states)b::text[], %(state_reasons)b::text[], %(ports)b::integer[], %(seens)b::boolean[]
) AS expected (id, known, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port, seen)
LEFT JOIN locked ON locked.id = expected.id
WHERE expected.known <> (locked.id IS NOT NULL)
    OR expected.known AND (
        locked.workload_id, locked.workload_kind, locked.role, locked.container_id, locked.image_ref, locked.host, locked.state,
        locked.state_reason, locked.port, locked.last_seen_at IS NOT NULL
    ) <> (
        expected.workload_id, expected.workload_kind, expected.role, expected.container_id, expected.image_ref, expected.host, expected.state,
        expected.state_reason, expected.port, expected.seen
    )

-- name: write_rows
-- Sets the Docker-derived columns and no others (rules W1 and W2). A row that somebody creates between the look above and this statement is not
-- written over: it is missing from `written`, and refused.
WITH pass AS (
    SELECT greatest(last_complete_pass_at, now() - make_interval(secs => %(elapsed)s)) AS at, last_complete_pass_at AS before
    FROM tinyforge.hosts WHERE name = %(host)s
), planned AS (
    SELECT * FROM unnest(
        %(ids)b::text[], %(known)b::boolean[], %(workload_ids)b::text[], %(workload_kinds)b::text[], %(roles)b::text[],
        %(container_ids)b::text[], %(image_refs)b::text[], %(hosts)b::text[], %(states)b::text[], %(state_reasons)b::text[],
        %(ports)b::integer[], %(seens)b::boolean[]
    ) AS row (id, known, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port, seen)
), written AS (
    INSERT INTO tinyforge.containers AS stored (
        id, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port, last_seen_at, missing_since
    )
    SELECT
        id, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port,
        CASE WHEN NOT seen THEN NULL WHEN state = 'missing' THEN pass.before ELSE pass.at END,
        CASE WHEN state = 'missing' THEN pass.at END
    FROM planned CROSS JOIN pass ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        workload_id = excluded.workload_id, workload_kind = excluded.workload_kind, role = excluded.role,
        container_id = excluded.container_id, image_ref = excluded.image_ref, host = excluded.host, state = excluded.state,
        state_reason = excluded.state_reason, port = excluded.port, last_seen_at = excluded.last_seen_at,
        missing_since = excluded.missing_since
    WHERE stored.id IN (SELECT id FROM planned WHERE known)
    RETURNING stored.id
)
SELECT tinyforge.refuse_moved_rows(array_agg(planned.id)) FROM planned WHERE planned.id NOT IN (SELECT id FROM written)

-- name: complete_host
-- A pass's time is the moment its list was asked for, by PostgreSQL's clock, and never moves back (rule T2).
UPDATE tinyforge.hosts SET
    state = 'reachable', state_reason = '', state_message = '',
    last_pass_at = greatest(last_pass_at, now() - make_interval(secs => %(elapsed)s)),
    last_complete_pass_at = greatest(last_complete_pass_at, now() - make_interval(secs => %(elapsed)s)),
    stale_after = make_interval(secs => %(stale_after)s), listed = %(listed)s, matched = %(matched)s,
    engine_id = coalesce(%(engine_id)s, engine_id), engine_version = coalesce(%(engine_version)s, engine_version),
    api_version = coalesce(%(api_version)s, api_version)
WHERE name = %(host)s AND removed_at IS NULL

-- name: fail_host
UPDATE tinyforge.hosts SET state = %(state)s, state_reason = %(reason)s, state_message = %(message)s, last_pass_at = greatest(last_pass_at, now())
WHERE name = %(host)s AND removed_at IS NULL

-- name: read_workloads_elsewhere
SELECT id, host FROM tinyforge.workloads WHERE host <> %(host)s
