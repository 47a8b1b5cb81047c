-- The containers index and what it needs: installation, fence, declared state, rows, requests.
-- Expanding: every later program may go on with it.

CREATE TABLE tinyforge.installation (
    id uuid PRIMARY KEY,
    single boolean NOT NULL DEFAULT true UNIQUE CHECK (single)
);
COMMENT ON TABLE tinyforge.installation IS 'Whose containers these are: one row, made by the first migration.';
INSERT INTO tinyforge.installation (id) VALUES (gen_random_uuid());

-- The fence ------------------------------------------------------------------------------------------------------------------------------

CREATE TABLE tinyforge.leaders (
    name text PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0,
    holder text NOT NULL DEFAULT '',
    session text NOT NULL DEFAULT '',
    driver text NOT NULL DEFAULT '',
    lease text NOT NULL DEFAULT '',
    claimed_at timestamptz
);
COMMENT ON TABLE tinyforge.leaders IS 'Who may write: one row, main. The epoch never decreases and the row is never deleted.';
COMMENT ON COLUMN tinyforge.leaders.session IS 'application_name of every session of the holder: it is alive if such a session exists.';
INSERT INTO tinyforge.leaders (name) VALUES ('main');

CREATE FUNCTION tinyforge.keep_leaders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'the row of tinyforge.leaders is what keeps deposed leaders out; it is never deleted' USING ERRCODE = 'TF004';
    END IF;
    IF NEW.epoch < OLD.epoch OR NEW.name <> OLD.name THEN
        RAISE EXCEPTION 'the epoch of tinyforge.leaders never decreases (% to %)', OLD.epoch, NEW.epoch USING ERRCODE = 'TF004';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_leaders_rows BEFORE UPDATE OR DELETE ON tinyforge.leaders FOR EACH ROW EXECUTE FUNCTION tinyforge.keep_leaders();
CREATE TRIGGER keep_leaders_table BEFORE TRUNCATE ON tinyforge.leaders FOR EACH STATEMENT EXECUTE FUNCTION tinyforge.keep_leaders();

-- First statement of every write transaction. It raises, so that in a pipeline nothing behind it runs. VOLATILE, and the lock in a statement of
-- its own: the look at the row then has a snapshot newer than the lock, and a claim (which takes the lock alone) waits for us or is seen by us.
-- In a stricter isolation the snapshot would be older than the lock, and the claim not seen.
CREATE FUNCTION tinyforge.fence(my_epoch bigint, my_holder text, my_program integer) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    leader tinyforge.leaders;
    needed integer;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a fenced transaction is read committed, this one is %', current_setting('transaction_isolation')
            USING ERRCODE = 'TF005';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(8388357248642937447);
    SELECT * INTO leader FROM tinyforge.leaders WHERE name = 'main';
    IF leader.epoch IS DISTINCT FROM my_epoch OR leader.holder IS DISTINCT FROM my_holder THEN
        RAISE EXCEPTION 'epoch % of % is over: % leads with epoch %', my_epoch, my_holder, leader.holder, leader.epoch
            USING ERRCODE = 'TF001', DETAIL = coalesce(leader.holder, '');
    END IF;
    SELECT min_program INTO needed FROM tinyforge.schema;
    IF needed > my_program THEN
        RAISE EXCEPTION 'the schema asks for program % or newer, this one is %', needed, my_program USING ERRCODE = 'TF003';
    END IF;
END $$;

-- The declared state ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE tinyforge.hosts (
    name text PRIMARY KEY,
    endpoint text NOT NULL DEFAULT '',
    spec jsonb NOT NULL DEFAULT '{}',
    engine_id text NOT NULL DEFAULT '',
    engine_version text NOT NULL DEFAULT '',
    api_version text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'new',
    state_reason text NOT NULL DEFAULT '',
    state_message text NOT NULL DEFAULT '',
    last_pass_at timestamptz,
    last_complete_pass_at timestamptz,
    stale_after interval NOT NULL DEFAULT '2 minutes',
    listed integer NOT NULL DEFAULT 0,
    matched integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
) WITH (fillfactor = 50); -- the last pass's time is written every pass: room for it on the same page keeps that at one small WAL record
COMMENT ON COLUMN tinyforge.hosts.engine_id IS 'Pinned at first sight; another engine under this name stops the passes until it is acknowledged.';
COMMENT ON COLUMN tinyforge.hosts.state_reason IS 'A stable word; state_message says it in a sentence.';
COMMENT ON COLUMN tinyforge.hosts.stale_after IS 'Three intervals, at least 2 minutes: an older complete pass says nothing about now.';
COMMENT ON COLUMN tinyforge.hosts.listed IS 'Of the last complete pass, as is matched.';

CREATE TABLE tinyforge.workloads (
    id text PRIMARY KEY,
    kind text NOT NULL,
    ref text NOT NULL DEFAULT '',
    host text NOT NULL,
    compose_project text NOT NULL DEFAULT '',
    group_id text NOT NULL DEFAULT '',
    parent_id text NOT NULL DEFAULT '',
    source_kind text NOT NULL DEFAULT '',
    source_config jsonb NOT NULL DEFAULT '{}',
    trigger_kind text NOT NULL DEFAULT '',
    trigger_config jsonb NOT NULL DEFAULT '{}',
    public_faces jsonb NOT NULL DEFAULT '[]',
    suspended boolean NOT NULL DEFAULT false,
    status jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Exclusion and not unique: unique constraints cannot be partial, and only a deferrable one lets two workloads swap in one statement.
    CONSTRAINT workloads_ref_once_a_host EXCLUDE USING btree (host WITH =, ref WITH =) WHERE (ref <> '') DEFERRABLE,
    CONSTRAINT workloads_project_once_a_host
        EXCLUDE USING btree (host WITH =, compose_project WITH =) WHERE (compose_project <> '') DEFERRABLE
);
CREATE INDEX workloads_host ON tinyforge.workloads (host);

-- The index ------------------------------------------------------------------------------------------------------------------------------

CREATE TABLE tinyforge.containers (
    id text PRIMARY KEY CHECK (octet_length(id) <= 1024), -- a btree key holds about 2,700 bytes; longer would fail a whole statement
    workload_id text NOT NULL,
    workload_kind text NOT NULL,
    role text NOT NULL DEFAULT '',
    container_id text NOT NULL DEFAULT '',
    image_ref text NOT NULL DEFAULT '',
    host text NOT NULL,
    state text NOT NULL DEFAULT '',
    state_reason text NOT NULL DEFAULT '',
    port integer NOT NULL DEFAULT 0,
    last_seen_at timestamptz,
    missing_since timestamptz,
    subdomain text NOT NULL DEFAULT '',
    proxy_route_id text NOT NULL DEFAULT '',
    npm_proxy_id text NOT NULL DEFAULT '',
    image_tag text NOT NULL DEFAULT '',
    stage_id text NOT NULL DEFAULT '',
    CONSTRAINT containers_one_row_a_container
        EXCLUDE USING btree (host WITH =, container_id WITH =) WHERE (state <> 'missing' AND container_id <> '') DEFERRABLE
);
CREATE INDEX containers_host ON tinyforge.containers (host);
CREATE INDEX containers_workload ON tinyforge.containers (workload_id);
COMMENT ON TABLE tinyforge.containers IS
    'One row a container. Derived from Docker up to missing_since; subdomain, proxy_route_id, npm_proxy_id, image_tag and stage_id are the deployer''s.';

CREATE FUNCTION tinyforge.refuse_moved_rows(moved text[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF moved IS NOT NULL THEN
        RAISE EXCEPTION 'rows changed since they were read' USING ERRCODE = 'TF002', DETAIL = to_json(moved)::text;
    END IF;
END $$;

CREATE VIEW tinyforge.container_status AS
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
CROSS JOIN LATERAL (SELECT CASE
    WHEN c.container_id = '' THEN NULL
    WHEN h.state = 'removed' THEN 'HostRemoved'
    WHEN h.state = 'suspended' THEN 'HostSuspended'
    WHEN h.state = 'engine_changed' THEN 'EngineChanged'
    WHEN h.state = 'unreachable' THEN 'HostUnreachable'
    WHEN h.last_complete_pass_at IS NULL THEN 'NeverSeen'
    WHEN h.state <> 'reachable' OR h.last_complete_pass_at < now() - h.stale_after THEN 'Stale'
    END AS not_because) AS known;
COMMENT ON VIEW tinyforge.container_status IS 'What people read: containers, and whether anybody can vouch for them now.';

-- What people ask for --------------------------------------------------------------------------------------------------------------------

CREATE TABLE tinyforge.sync_requests (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('sync', 'explain', 'forget', 'deploy')),
    host text NOT NULL DEFAULT '',
    argument text NOT NULL DEFAULT '',
    requested_at timestamptz NOT NULL DEFAULT now(),
    requested_by text NOT NULL DEFAULT '',
    done_at timestamptz,
    outcome jsonb
);
CREATE INDEX sync_requests_open ON tinyforge.sync_requests (id) WHERE done_at IS NULL;
COMMENT ON TABLE tinyforge.sync_requests IS 'What the leader is asked to do, and its answer; answered or not, pruned after a day.';

CREATE FUNCTION tinyforge.announce_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(CASE WHEN NEW.done_at IS NULL THEN 'tinyforge_requests' ELSE 'tinyforge_answers' END, NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER announce_request AFTER INSERT OR UPDATE OF done_at ON tinyforge.sync_requests
    FOR EACH ROW EXECUTE FUNCTION tinyforge.announce_request();
