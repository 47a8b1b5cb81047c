-- name: containers
SELECT
    id, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port, last_seen_at, missing_since, subdomain,
    proxy_route_id, npm_proxy_id, image_tag, stage_id, effective_state, reason, as_of
FROM tinyforge.container_status
WHERE (%(workload)s::text IS NULL OR workload_id = %(workload)s) AND (%(host)s::text IS NULL OR host = %(host)s)
    AND (%(state)s::text IS NULL OR effective_state = %(state)s)
ORDER BY workload_id, id

-- name: hosts
SELECT
    name, endpoint, engine_id, engine_version, api_version, state, state_reason, state_message, last_pass_at, last_complete_pass_at,
    extract(epoch FROM stale_after)::float8 AS stale_after_seconds, state = 'reachable' AND last_complete_pass_at < now() - stale_after AS stale,
    listed, matched, removed_at
FROM tinyforge.hosts
WHERE removed_at IS NULL OR EXISTS (SELECT FROM tinyforge.containers WHERE host = hosts.name)
ORDER BY name

-- name: workloads
SELECT
    workloads.id, kind, workloads.host, ref, compose_project, generation, created_at, updated_at, workloads.status,
    coalesce(counts.states, '{}') AS states
FROM tinyforge.workloads
LEFT JOIN LATERAL (
    SELECT array_agg(effective_state) AS states FROM tinyforge.counted_containers WHERE workload_id = workloads.id
) AS counts ON true
ORDER BY workloads.id

-- name: last_sign_of_life
SELECT greatest(max(last_pass_at), (SELECT claimed_at FROM tinyforge.leaders WHERE name = 'main')) AS at FROM tinyforge.hosts

-- name: standbys
-- A process that may lead names its sessions after itself, and has one at least for as long as it lives: its presence.
SELECT application_name AS session, coalesce(host(min(client_addr)), '') AS address, min(backend_start) AS since
FROM pg_stat_activity
WHERE application_name ~ '^tinyforge/[0-9a-f]{32}$' AND datname = current_database()
    AND application_name <> (SELECT session FROM tinyforge.leaders WHERE name = 'main')
GROUP BY application_name ORDER BY since

-- name: server
SELECT
    current_setting('server_version_num')::integer AS number, current_setting('server_version') AS version,
    current_setting('server_encoding') AS encoding, current_setting('transaction_read_only')::boolean AS read_only
