-- name: read_hosts
SELECT name, endpoint, spec FROM tinyforge.hosts WHERE removed_at IS NULL ORDER BY name

-- name: read_workloads
SELECT
    id, kind, host, ref, compose_project, group_id, parent_id, source_kind, source_config, trigger_kind, trigger_config, public_faces, suspended,
    generation, created_at
FROM tinyforge.workloads ORDER BY id

-- name: write_host
INSERT INTO tinyforge.hosts AS stored (name, endpoint, spec, stale_after)
VALUES (%(name)s, %(endpoint)s, %(spec)s, make_interval(secs => %(stale_after)s))
ON CONFLICT (name) DO UPDATE SET
    endpoint = excluded.endpoint, spec = excluded.spec, stale_after = excluded.stale_after, removed_at = NULL,
    state = CASE WHEN stored.removed_at IS NULL THEN stored.state ELSE 'new' END,
    state_reason = CASE WHEN stored.removed_at IS NULL THEN stored.state_reason ELSE '' END,
    state_message = CASE WHEN stored.removed_at IS NULL THEN stored.state_message ELSE '' END

-- name: remove_hosts
UPDATE tinyforge.hosts SET state = 'removed', state_reason = 'HostRemoved', state_message = 'no longer declared', removed_at = now()
WHERE name = ANY(%(names)s) AND removed_at IS NULL

-- name: remove_workloads
DELETE FROM tinyforge.workloads WHERE id = ANY(%(ids)s)

-- name: write_workloads
INSERT INTO tinyforge.workloads AS stored (
    id, kind, host, ref, compose_project, group_id, parent_id, source_kind, source_config, trigger_kind, trigger_config, public_faces, suspended,
    generation
)
SELECT
    id, kind, host, ref, compose_project, group_id, parent_id, source_kind, source_config, trigger_kind, trigger_config, public_faces, suspended,
    greatest(generation, 1)
FROM unnest(
    %(ids)s::text[], %(kinds)s::text[], %(hosts)s::text[], %(refs)s::text[], %(compose_projects)s::text[], %(group_ids)s::text[],
    %(parent_ids)s::text[], %(source_kinds)s::text[], %(source_configs)s::jsonb[], %(trigger_kinds)s::text[], %(trigger_configs)s::jsonb[],
    %(public_faces)s::jsonb[], %(suspended)s::boolean[], %(generations)s::bigint[]
) AS declared (
    id, kind, host, ref, compose_project, group_id, parent_id, source_kind, source_config, trigger_kind, trigger_config, public_faces, suspended,
    generation
)
ON CONFLICT (id) DO UPDATE SET
    host = excluded.host, ref = excluded.ref, compose_project = excluded.compose_project, group_id = excluded.group_id,
    parent_id = excluded.parent_id, source_kind = excluded.source_kind, source_config = excluded.source_config,
    trigger_kind = excluded.trigger_kind, trigger_config = excluded.trigger_config, public_faces = excluded.public_faces,
    suspended = excluded.suspended, updated_at = now(),
    generation = CASE WHEN excluded.id = ANY(%(counted)s::text[]) THEN excluded.generation ELSE stored.generation + 1 END

-- name: suspend_hosts
UPDATE tinyforge.hosts SET state = 'suspended', state_reason = 'HostSuspended', state_message = 'spec.suspend is set'
WHERE removed_at IS NULL AND (spec ->> 'suspended')::boolean AND state <> 'suspended'
