-- name: read_leader
SELECT epoch, holder, session, driver, lease, claimed_at,
    session <> '' AND EXISTS (SELECT FROM pg_stat_activity WHERE application_name = session AND datname = current_database()) AS alive
FROM tinyforge.leaders WHERE name = 'main'

-- name: claim
WITH claimed AS (
    UPDATE tinyforge.leaders
    SET epoch = epoch + 1, holder = %(holder)s, session = %(session)s, driver = %(driver)s, lease = %(lease)s, claimed_at = now()
    WHERE name = 'main' RETURNING epoch, holder
)
SELECT epoch, pg_notify('tinyforge_leaders', holder) FROM claimed

-- name: release
UPDATE tinyforge.leaders SET holder = '' WHERE name = 'main' AND epoch = %(epoch)s AND holder = %(holder)s

-- name: end_holders_sessions
SELECT pg_terminate_backend(activity.pid)
FROM pg_stat_activity AS activity JOIN tinyforge.leaders ON leaders.name = 'main' AND activity.application_name = leaders.session
WHERE leaders.session <> '' AND activity.usename = current_user AND activity.datname = current_database() AND activity.pid <> pg_backend_pid()
