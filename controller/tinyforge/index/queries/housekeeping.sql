-- name: forget
-- Rule R1's last sentence holds here too: a row with a deployer's value is the deployer's to delete. Rows are locked in the order of their ids,
-- as passes do it, so that the two never wait for each other.
DELETE FROM tinyforge.containers WHERE id IN (
    SELECT id FROM tinyforge.containers
    WHERE workload_id = %(workload)s AND state = 'missing' AND (%(role)s::text IS NULL OR role = %(role)s)
        AND subdomain = '' AND proxy_route_id = '' AND npm_proxy_id = '' AND image_tag = '' AND stage_id = ''
    ORDER BY id FOR UPDATE
)
RETURNING id

-- name: kept_missing
SELECT id FROM tinyforge.containers
WHERE workload_id = %(workload)s AND state = 'missing' AND (%(role)s::text IS NULL OR role = %(role)s) ORDER BY id

-- name: prune_rows
-- A row that somebody holds is in use, or will be old the next time too.
DELETE FROM tinyforge.containers WHERE id IN (
    SELECT id FROM tinyforge.containers AS stale
    WHERE stale.subdomain = '' AND stale.proxy_route_id = '' AND stale.npm_proxy_id = '' AND stale.image_tag = '' AND stale.stage_id = ''
        AND (
            stale.state = 'missing' AND stale.missing_since < now() - make_interval(secs => %(retention)s)
            OR EXISTS (SELECT FROM tinyforge.hosts WHERE name = stale.host AND removed_at < now() - make_interval(secs => %(retention)s))
        )
    FOR UPDATE SKIP LOCKED
)
RETURNING id

-- name: prune_requests
DELETE FROM tinyforge.sync_requests WHERE requested_at < now() - interval '1 day'

-- name: prune_intents
-- One that nobody closed is of a host on which nothing has been changed since; a day after its deadline it says nothing any more.
DELETE FROM tinyforge.intents WHERE coalesce(closed_at, deadline) < now() - interval '1 day'
