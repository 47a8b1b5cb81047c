-- name: close_unrecorded
-- Of this term on this object, whose end nobody could record: PostgreSQL was away, or never told that the row is there.
UPDATE tinyforge.intents SET closed_at = clock_timestamp(), outcome = 'failed', message = 'nobody recorded how it ended'
WHERE epoch = %(epoch)s AND host = %(host)s AND object = %(object)s AND closed_at IS NULL

-- name: open
-- The clock is looked at here, behind the fence: this moment is later than the one from which the program counts.
INSERT INTO tinyforge.intents (epoch, host, object, action, opened_at, deadline)
SELECT %(epoch)s, %(host)s, %(object)s, %(action)s, at, at + make_interval(secs => %(seconds)s) FROM clock_timestamp() AS at
RETURNING id, epoch, host, object, action, deadline

-- name: close
UPDATE tinyforge.intents SET closed_at = clock_timestamp(), outcome = %(outcome)s, message = %(message)s
WHERE id = %(id)s AND epoch = %(epoch)s AND closed_at IS NULL

-- name: open_of_lower_epochs
-- Never longer than from opening to deadline: a clock that was put back must not hold a host up for an hour. (One that is put forward between
-- the opening and this makes the wait shorter; the name of the object then is what keeps two changes apart.)
SELECT id, epoch, host, object, action, deadline,
    extract(epoch FROM greatest(least(deadline - clock_timestamp(), deadline - opened_at), interval '0'))::float8 AS left
FROM tinyforge.intents WHERE host = %(host)s AND epoch < %(epoch)s AND closed_at IS NULL ORDER BY id

-- name: supersede
UPDATE tinyforge.intents AS intent SET closed_at = clock_timestamp(), outcome = 'superseded', message = told.message
FROM unnest(%(ids)s::bigint[], %(messages)s::text[]) AS told (id, message)
WHERE intent.id = told.id AND epoch < %(epoch)s AND closed_at IS NULL
