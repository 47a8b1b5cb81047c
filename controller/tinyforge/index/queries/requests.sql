-- name: open
-- Of the kinds this program knows: a request of another kind is for a newer one.
SELECT id, kind, host, argument, requested_by FROM tinyforge.sync_requests WHERE done_at IS NULL AND kind = ANY(%(kinds)s) ORDER BY id

-- name: answer
UPDATE tinyforge.sync_requests SET done_at = now(), outcome = %(outcome)s WHERE id = %(id)s AND done_at IS NULL

-- name: ask
INSERT INTO tinyforge.sync_requests (kind, host, argument, requested_by) VALUES (%(kind)s, %(host)s, %(argument)s, %(by)s) RETURNING id

-- name: read_answer
SELECT outcome FROM tinyforge.sync_requests WHERE id = %(id)s

-- name: last_sign_of_life
SELECT greatest(max(last_pass_at), (SELECT claimed_at FROM tinyforge.leaders WHERE name = 'main')) FROM tinyforge.hosts
