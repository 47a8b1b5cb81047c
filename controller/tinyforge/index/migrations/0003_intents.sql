-- What a leader is about to change on a Docker Engine, said before it does: whoever leads next knows what may still happen.
-- Expanding: every earlier program may go on with it.

CREATE TABLE tinyforge.intents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    epoch bigint NOT NULL,
    host text NOT NULL,
    object text NOT NULL CHECK (octet_length(object) BETWEEN 1 AND 255),
    action text NOT NULL,
    opened_at timestamptz NOT NULL,
    deadline timestamptz NOT NULL CHECK (deadline > opened_at),
    closed_at timestamptz,
    outcome text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'done', 'failed', 'superseded')),
    message text NOT NULL DEFAULT '',
    CONSTRAINT intents_closed_with_an_outcome CHECK ((closed_at IS NULL) = (outcome = ''))
);
-- What is open on a host, and no object twice.
CREATE UNIQUE INDEX intents_open ON tinyforge.intents (host, object) WHERE closed_at IS NULL;
COMMENT ON TABLE tinyforge.intents IS
    'One row a change of an engine, committed before it is begun; pruned a day after it was closed, or after its deadline.';
COMMENT ON COLUMN tinyforge.intents.object IS 'The name of what is changed, the same for the same thing in every term.';
COMMENT ON COLUMN tinyforge.intents.deadline IS 'When the change has ended or been given up, by this server''s clock; an open one may happen until then.';

-- Whatever the program does: nothing is begun on a host before what earlier terms left open there is closed, and what is closed stays as it is.
-- A fenced insert cannot miss an earlier term's row: that was committed before the claim of this one.
CREATE FUNCTION tinyforge.keep_intents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.closed_at IS NOT NULL THEN
            RAISE EXCEPTION 'intent % is closed and stays as it is', OLD.id USING ERRCODE = 'TF006';
        END IF;
    ELSIF EXISTS (SELECT FROM tinyforge.intents WHERE host = NEW.host AND closed_at IS NULL AND epoch < NEW.epoch) THEN
        RAISE EXCEPTION 'host % has open intents of an earlier term, which have to be closed first', NEW.host USING ERRCODE = 'TF006';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_intents BEFORE INSERT OR UPDATE ON tinyforge.intents FOR EACH ROW EXECUTE FUNCTION tinyforge.keep_intents();
