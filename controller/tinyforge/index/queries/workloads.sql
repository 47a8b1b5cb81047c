-- name: read_workload
SELECT
    workloads.id, kind, workloads.host, ref, compose_project, group_id, parent_id, source_kind, source_config, trigger_kind, trigger_config,
    public_faces, suspended, generation, status, now() AS now,
    coalesce(CASE WHEN hosts.name IS NULL THEN 'HostRemoved' ELSE tinyforge.why_unknown(hosts) END, '') AS why_unknown,
    coalesce(hosts.state_message, '') AS host_message, hosts.last_complete_pass_at AS as_of
FROM tinyforge.workloads LEFT JOIN tinyforge.hosts ON hosts.name = workloads.host
WHERE workloads.id = %(id)s

-- name: read_containers
SELECT id AS row, container_id, role, image_ref AS image, effective_state AS state, port
FROM tinyforge.counted_containers WHERE workload_id = %(id)s ORDER BY id

-- name: write_status
UPDATE tinyforge.workloads SET status = %(status)s WHERE id = %(id)s
