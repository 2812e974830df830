-- What takes several steps, so that each operation of the store is one statement and one round trip.
--
-- Whoever locks several rows does so in this order: responses, jobs, conversations, items by key.

CREATE OR REPLACE FUNCTION gateway.context(node bigint)
RETURNS TABLE (place bigint, depth integer, origin bigint, item bytea)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE path AS (
        SELECT n.id, n.parent, 0 AS depth FROM gateway.nodes n WHERE n.id = context.node
        UNION ALL
        SELECT n.id, n.parent, path.depth + 1
        FROM path JOIN gateway.nodes n ON n.id = path.parent
    )
    SELECT row_number() OVER (ORDER BY path.depth DESC, e.position), path.depth, path.id, e.item
    FROM path JOIN gateway.entries e ON e.node = path.id
$$;

CREATE OR REPLACE FUNCTION gateway.page(
    node bigint, after bytea, descending boolean, maximum integer
) RETURNS TABLE (known boolean, ids bytea[], bodies bytea[])
LANGUAGE sql STABLE AS $$
    WITH list AS MATERIALIZED (
        SELECT CASE WHEN page.descending THEN -c.place ELSE c.place END AS place, c.item
        FROM gateway.context(page.node) c
    ), anchor AS (
        SELECT max(l.place) AS place FROM list l JOIN gateway.items i ON i.key = l.item
        WHERE i.id = page.after
    ), chosen AS (
        SELECT l.place, l.item FROM list l, anchor a
        WHERE page.after = '' OR l.place > a.place
        ORDER BY l.place LIMIT page.maximum
    )
    SELECT
        page.after = '' OR (SELECT a.place IS NOT NULL FROM anchor a),
        coalesce(array_agg(i.id ORDER BY c.place), '{}'),
        coalesce(array_agg(i.body ORDER BY c.place), '{}')
    FROM chosen c JOIN gateway.items i ON i.key = c.item
$$;

-- An item that is there already is locked all the same, against `purge`. It is written again only
-- if another body with its id came after it, or comes with it: a client that repeats its history
-- costs no writes.
CREATE OR REPLACE FUNCTION gateway.keep(
    tenant text, keys bytea[], ids bytea[], bodies bytea[]
) RETURNS void LANGUAGE sql AS $$
    WITH given AS MATERIALIZED (
        SELECT nextval('gateway.versions') AS version, g.key, g.id, g.body
        FROM unnest(keep.keys, keep.ids, keep.bodies) AS g(key, id, body)
    )
    INSERT INTO gateway.items AS kept (key, tenant, id, version, body)
    SELECT DISTINCT ON (g.key) g.key, keep.tenant, g.id, g.version, g.body
    FROM given g ORDER BY g.key, g.version DESC
    ON CONFLICT (key) DO UPDATE SET version = excluded.version WHERE EXISTS (
        SELECT FROM gateway.items newer
        WHERE newer.tenant = kept.tenant AND sha256(newer.id) = sha256(kept.id)
        AND newer.version > kept.version
    ) OR kept.id IN (SELECT g.id FROM given g GROUP BY g.id HAVING count(DISTINCT g.key) > 1)
$$;

CREATE OR REPLACE FUNCTION gateway.fill(node bigint, keys bytea[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO gateway.entries (node, position, item)
    SELECT fill.node, k.position, k.key FROM unnest(fill.keys) WITH ORDINALITY AS k(key, position)
$$;

CREATE OR REPLACE FUNCTION gateway.grow(parent bigint, keys bytea[]) RETURNS bigint
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    node bigint;
BEGIN
    INSERT INTO gateway.nodes (parent) VALUES (grow.parent) RETURNING id INTO node;
    PERFORM gateway.fill(node, grow.keys);
    RETURN node;
END
$$;

CREATE OR REPLACE FUNCTION gateway.forget(tenant text, id text) RETURNS boolean
LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM gateway.responses r
        WHERE r.tenant = forget.tenant AND r.id = forget.id RETURNING r.output
    ), loosened AS (
        INSERT INTO gateway.loose SELECT output FROM gone
    )
    SELECT EXISTS (SELECT FROM gone)
$$;

CREATE OR REPLACE FUNCTION gateway.extend(
    tenant text, parent bigint, keys bytea[], ids bytea[], bodies bytea[]
) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gateway.keep(tenant, keys, ids, bodies);
    RETURN gateway.grow(parent, keys);
END
$$;

-- 'new' if the response was written; 'known', and nothing is written, if it was there already, as
-- after an attempt that came to an unknown end; 'gone', and nothing is written, if the response or
-- the conversation to grow from is.
CREATE OR REPLACE FUNCTION gateway.save(
    tenant text, id text, created_at float8, expires_at float8, status text, model text, body bytea,
    from_response text, from_conversation text, keys bytea[], ids bytea[], bodies bytea[],
    inputs integer, finished boolean
) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    start bigint;
    output bigint;
BEGIN
    IF EXISTS (
        SELECT FROM gateway.responses r WHERE r.tenant = save.tenant AND r.id = save.id
    ) THEN
        RETURN 'known';
    END IF;
    IF save.from_conversation <> '' THEN
        SELECT c.tail INTO start FROM gateway.conversations c
        WHERE c.tenant = save.tenant AND c.id = save.from_conversation FOR UPDATE;
    ELSIF save.from_response <> '' THEN
        SELECT r.output INTO start FROM gateway.responses r
        WHERE r.tenant = save.tenant AND r.id = save.from_response FOR KEY SHARE;
    END IF;
    IF start IS NULL AND save.from_conversation || save.from_response <> '' THEN
        RETURN 'gone';
    END IF;
    PERFORM gateway.keep(save.tenant, save.keys, save.ids, save.bodies);
    output := gateway.grow(
        gateway.grow(start, save.keys[:save.inputs]), save.keys[save.inputs + 1:]
    );
    INSERT INTO gateway.responses VALUES (
        save.tenant, save.id, save.created_at, save.expires_at, save.status, save.model, save.body,
        save.from_conversation, output
    ) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        INSERT INTO gateway.loose VALUES (output);
        RETURN 'known';
    END IF;
    IF save.finished THEN
        UPDATE gateway.conversations c SET tail = output
        WHERE c.tenant = save.tenant AND c.id = save.from_conversation;
    END IF;
    RETURN 'new';
END
$$;

CREATE OR REPLACE FUNCTION gateway.add_items(
    tenant text, conversation text, keys bytea[], ids bytea[], bodies bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    old_tail bigint;
BEGIN
    SELECT c.tail INTO old_tail FROM gateway.conversations c
    WHERE c.tenant = add_items.tenant AND c.id = add_items.conversation FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE gateway.conversations c SET tail = gateway.extend(
        add_items.tenant, old_tail, add_items.keys, add_items.ids, add_items.bodies
    )
    WHERE c.tenant = add_items.tenant AND c.id = add_items.conversation;
    RETURN true;
END
$$;

-- Every item with that id goes. The old end stays as it is, for responses that grew from it.
CREATE OR REPLACE FUNCTION gateway.remove_item(tenant text, conversation text, item bytea)
RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    old_tail bigint;
    first record;
    keys bytea[];
BEGIN
    SELECT c.tail INTO old_tail FROM gateway.conversations c
    WHERE c.tenant = remove_item.tenant AND c.id = remove_item.conversation FOR UPDATE;
    SELECT l.depth, n.parent INTO first
    FROM gateway.context(old_tail) l
    JOIN gateway.items i ON i.key = l.item JOIN gateway.nodes n ON n.id = l.origin
    WHERE i.id = remove_item.item ORDER BY l.place LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT coalesce(array_agg(l.item ORDER BY l.place), '{}') INTO keys
    FROM gateway.context(old_tail) l JOIN gateway.items i ON i.key = l.item
    WHERE l.depth <= first.depth AND i.id <> remove_item.item;
    UPDATE gateway.conversations c SET tail = gateway.grow(first.parent, keys)
    WHERE c.tenant = remove_item.tenant AND c.id = remove_item.conversation;
    INSERT INTO gateway.loose VALUES (old_tail);
    RETURN true;
END
$$;

-- False, and nothing is written, if `owner` has lost the work.
CREATE OR REPLACE FUNCTION gateway.append(
    owner text, tenant text, id text, expires_at float8, status text, model text, body bytea,
    numbers bigint[], frames bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM gateway.responses r
    WHERE r.tenant = append.tenant AND r.id = append.id FOR UPDATE;
    PERFORM FROM gateway.jobs j
    WHERE j.tenant = append.tenant AND j.response_id = append.id
    AND j.owner = append.owner AND j.owner <> ''
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE gateway.responses r SET
        expires_at = append.expires_at, status = append.status,
        model = append.model, body = append.body
    WHERE r.tenant = append.tenant AND r.id = append.id;
    INSERT INTO gateway.events (tenant, response_id, number, frame)
    SELECT append.tenant, append.id, e.number, e.frame
    FROM unnest(append.numbers, append.frames) AS e(number, frame)
    ON CONFLICT DO NOTHING;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION gateway.finish(
    owner text, tenant text, id text, expires_at float8, status text, model text, body bytea,
    numbers bigint[], frames bytea[], keys bytea[], ids bytea[], bodies bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    finished record;
    tail bigint;
BEGIN
    IF NOT gateway.append(
        finish.owner, finish.tenant, finish.id, finish.expires_at, finish.status, finish.model,
        finish.body, finish.numbers, finish.frames
    ) THEN
        RETURN false;
    END IF;
    DELETE FROM gateway.jobs j WHERE j.tenant = finish.tenant AND j.response_id = finish.id;
    SELECT r.conversation, r.output, n.parent AS input INTO finished
    FROM gateway.responses r JOIN gateway.nodes n ON n.id = r.output
    WHERE r.tenant = finish.tenant AND r.id = finish.id;
    SELECT c.tail INTO tail FROM gateway.conversations c
    WHERE c.tenant = finish.tenant AND c.id = finished.conversation FOR UPDATE;
    PERFORM gateway.keep(finish.tenant, finish.keys, finish.ids, finish.bodies);
    PERFORM gateway.fill(finished.output, finish.keys);
    UPDATE gateway.conversations c
    SET tail = gateway.follow(tail, finished.input, finished.output, finish.keys)
    WHERE c.tenant = finish.tenant AND c.id = finished.conversation
        AND finish.status NOT IN ('failed', 'cancelled');
    RETURN true;
END
$$;

-- The node that a conversation ends with after a response which it has been waiting for. If it
-- went on in the meantime, input and output are put behind what came.
CREATE OR REPLACE FUNCTION gateway.follow(
    tail bigint, input bigint, output bigint, output_keys bytea[]
) RETURNS bigint LANGUAGE sql AS $$
    SELECT CASE WHEN n.parent IS NOT DISTINCT FROM follow.tail THEN follow.output
    ELSE gateway.grow(follow.tail, ARRAY(
        SELECT e.item FROM gateway.entries e WHERE e.node = n.id ORDER BY e.position
    ) || follow.output_keys) END
    FROM gateway.nodes n WHERE n.id = follow.input
$$;

-- One node of a deployment does this at a time; for the others there is nothing left to do.
CREATE OR REPLACE FUNCTION gateway.purge(now float8, maximum integer) RETURNS integer
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    gone integer;
    candidate bigint;
    above bigint;
    keys bytea[] := '{}';
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('gateway purge', 0)) THEN
        RETURN 0;
    END IF;
    SELECT count(*) INTO gone FROM (
        SELECT gateway.forget(r.tenant, r.id) FROM gateway.responses r
        WHERE r.expires_at <= purge.now ORDER BY r.expires_at LIMIT purge.maximum
    ) AS expired;
    FOR step IN 1 .. purge.maximum LOOP
        DELETE FROM gateway.loose WHERE ctid = (SELECT ctid FROM gateway.loose LIMIT 1)
        RETURNING node INTO candidate;
        EXIT WHEN NOT FOUND;
        CONTINUE WHEN gateway.held(candidate);
        WITH removed AS (DELETE FROM gateway.entries WHERE node = candidate RETURNING item)
        SELECT keys || coalesce(array_agg(item), '{}') INTO keys FROM removed;
        DELETE FROM gateway.nodes WHERE id = candidate RETURNING parent INTO above;
        IF FOUND THEN
            INSERT INTO gateway.loose SELECT above WHERE above IS NOT NULL;
            gone := gone + 1;
        END IF;
    END LOOP;
    gone := gone + gateway.drop_items(keys) + gateway.drop_marks(purge.now, purge.maximum);
    RETURN CASE WHEN gone = 0 AND EXISTS (SELECT FROM gateway.loose) THEN 1 ELSE gone END;
END
$$;

-- Who marks anew what has expired need not wait for this, nor this for him.
CREATE OR REPLACE FUNCTION gateway.drop_marks(now float8, maximum integer) RETURNS integer
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    gone integer;
BEGIN
    DELETE FROM gateway.marks m USING (
        SELECT tenant, name FROM gateway.marks WHERE until <= drop_marks.now
        LIMIT drop_marks.maximum FOR UPDATE SKIP LOCKED
    ) AS expired
    WHERE m.tenant = expired.tenant AND m.name = expired.name;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

CREATE OR REPLACE FUNCTION gateway.held(node bigint) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM gateway.nodes n WHERE n.parent = held.node)
    OR EXISTS (SELECT FROM gateway.responses r WHERE r.output = held.node)
    OR EXISTS (SELECT FROM gateway.conversations c WHERE c.tail = held.node)
$$;

-- Two steps: what is locked cannot be taken up again, and the second step sees what was taken up
-- before the first had the lock.
CREATE OR REPLACE FUNCTION gateway.drop_items(keys bytea[]) RETURNS integer
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    gone integer;
BEGIN
    PERFORM FROM gateway.items WHERE key = ANY (drop_items.keys) ORDER BY key FOR UPDATE;
    DELETE FROM gateway.items i WHERE i.key = ANY (drop_items.keys)
    AND NOT EXISTS (SELECT FROM gateway.entries e WHERE e.item = i.key);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
