-- What a workload's status is made of: why a host cannot be vouched for, said in one place, and which rows count.
-- Expanding: every earlier program may go on with it.

CREATE FUNCTION tinyforge.why_unknown(host tinyforge.hosts) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN host.state = 'removed' THEN 'HostRemoved'
        WHEN host.state = 'suspended' THEN 'HostSuspended'
        WHEN host.state = 'engine_changed' THEN 'EngineChanged'
        WHEN host.state = 'unreachable' THEN 'HostUnreachable'
        WHEN host.last_complete_pass_at IS NULL THEN 'NeverSeen'
        WHEN host.state <> 'reachable' OR host.last_complete_pass_at < now() - host.stale_after THEN 'Stale'
    END
$$;
COMMENT ON FUNCTION tinyforge.why_unknown IS 'Why nobody can say what runs on a host now; NULL if its last complete pass speaks.';

CREATE OR REPLACE VIEW tinyforge.container_status AS
SELECT
    c.id, c.workload_id, c.workload_kind, c.role, c.container_id, c.image_ref, c.host, c.state, c.state_reason, c.port,
    CASE WHEN c.state <> 'missing' AND c.last_seen_at IS NOT NULL THEN greatest(c.last_seen_at, h.last_complete_pass_at)
        ELSE c.last_seen_at END AS last_seen_at,
    c.missing_since, c.subdomain, c.proxy_route_id, c.npm_proxy_id, c.image_tag, c.stage_id,
    CASE WHEN known.not_because IS NULL THEN c.state ELSE 'unknown' END AS effective_state,
    coalesce(known.not_because, c.state_reason) AS reason,
    h.last_complete_pass_at AS as_of
FROM tinyforge.containers AS c
LEFT JOIN tinyforge.hosts AS h ON h.name = c.host
CROSS JOIN LATERAL (SELECT CASE WHEN c.container_id <> '' THEN tinyforge.why_unknown(h) END AS not_because) AS known;

CREATE FUNCTION tinyforge.is_one_off(id text, workload_id text, role text, container_id text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT role <> '' AND id = workload_id || ':' || container_id
$$;
COMMENT ON FUNCTION tinyforge.is_one_off IS 'Whether a row is of a container that `docker compose run` left (rule M11).';

CREATE VIEW tinyforge.counted_containers AS
SELECT status.* FROM tinyforge.container_status AS status
WHERE status.container_id <> '' AND NOT tinyforge.is_one_off(status.id, status.workload_id, status.role, status.container_id)
    AND (status.state <> 'missing' OR NOT EXISTS (
        SELECT FROM tinyforge.containers AS present
        WHERE present.workload_id = status.workload_id AND present.role = status.role AND present.container_id <> ''
            AND present.state <> 'missing'
            AND NOT tinyforge.is_one_off(present.id, present.workload_id, present.role, present.container_id)));
COMMENT ON VIEW tinyforge.counted_containers IS
    'What a workload''s status counts: no one-offs, and a missing row only where its role has no present one.';
