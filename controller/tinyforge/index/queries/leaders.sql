-- name: read_leader
SELECT epoch, holder, session, driver, lease, claimed_at,
    session <> '' AND EXISTS (SELECT FROM pg_stat_activity WHERE application_name = session AND datname = current_database()) AS alive
FROM tinyforge.leaders WHERE name = 'main'

-- name: look
SELECT epoch, holder, session, driver, lease, claimed_at,
    current_setting('transaction_read_only') = 'off' AS primary,
    extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS server_up,
    (
        SELECT coalesce(jsonb_object_agg(pid, coalesce(query_start, backend_start)::text), '{}') FROM pg_stat_activity
        WHERE session <> '' AND application_name = session AND datname = current_database()
    ) AS sessions
FROM tinyforge.leaders WHERE name = 'main'

-- name: limit_wait
SELECT set_config('lock_timeout', %(lock_timeout)s, true)

-- name: lock
SELECT pg_advisory_xact_lock(8388357248642937447)

-- name: claim
WITH claimed AS (
    UPDATE tinyforge.leaders
    SET epoch = %(epoch)s, holder = %(holder)s, session = %(session)s, driver = %(driver)s, lease = %(lease)s, claimed_at = now()
    WHERE name = 'main'
        AND (epoch < %(epoch)s OR (epoch = %(epoch)s AND holder = %(holder)s))
        AND (%(take_over)s OR (driver IN ('', %(driver)s) AND lease IN ('', %(lease)s)))
        AND (SELECT min_program FROM tinyforge.schema) <= %(program)s
    RETURNING holder
)
SELECT pg_notify('tinyforge_leaders', holder) FROM claimed

-- name: refusal
SELECT epoch, holder, driver, lease, min_program FROM tinyforge.leaders, tinyforge.schema WHERE name = 'main'

-- name: release
UPDATE tinyforge.leaders SET holder = '' WHERE name = 'main' AND epoch = %(epoch)s AND holder = %(holder)s

-- name: end_holders_sessions
SELECT pg_terminate_backend(activity.pid)
FROM pg_stat_activity AS activity JOIN tinyforge.leaders ON leaders.name = 'main' AND activity.application_name = leaders.session
WHERE leaders.session NOT IN ('', %(session)s) AND activity.usename = current_user AND activity.datname = current_database()
