"""The statements of the store, one for each operation; `schema/functions.sql` has the rest."""

_RECORD = "r.id, r.tenant, r.created_at, r.expires_at, r.status, r.model, r.body"

SAVE = "SELECT gateway.save($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, true)"

ENQUEUE = """
WITH saved AS MATERIALIZED (
    SELECT gateway.save($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, false) AS outcome
), queued AS (
    INSERT INTO gateway.jobs (tenant, response_id, request, attempts)
    SELECT $1, $2, $14, $15 FROM saved WHERE outcome = 'new'
)
SELECT outcome FROM saved
"""

LOAD = f"""
SELECT {_RECORD}, list.ids, list.bodies FROM gateway.responses r, LATERAL (
    SELECT array_agg(i.id ORDER BY e.position) AS ids,
        array_agg(i.body ORDER BY e.position) AS bodies
    FROM gateway.entries e JOIN gateway.items i ON i.key = e.item WHERE e.node = r.output
) AS list WHERE r.tenant = $1 AND r.id = $2
"""

HISTORY = f"""
SELECT {_RECORD}, list.ids, list.bodies, list.inputs FROM gateway.responses r, LATERAL (
    SELECT array_agg(i.id ORDER BY c.place) AS ids, array_agg(i.body ORDER BY c.place) AS bodies,
        count(*) FILTER (WHERE c.depth > 0) AS inputs
    FROM gateway.context(r.output) c JOIN gateway.items i ON i.key = c.item
) AS list WHERE r.tenant = $1 AND r.id = $2
"""

INPUT_ITEMS = """
SELECT page.* FROM gateway.responses r JOIN gateway.nodes n ON n.id = r.output,
    LATERAL gateway.page(n.parent, $3, $4, $5) page
WHERE r.tenant = $1 AND r.id = $2
"""

ITEMS = """
SELECT DISTINCT ON (i.id) i.id, i.body
FROM unnest($2::bytea[]) AS wanted(id) JOIN gateway.items i ON sha256(i.id) = sha256(wanted.id)
WHERE i.tenant = $1 ORDER BY i.id, i.version DESC
"""

DELETE = "SELECT gateway.forget($1, $2)"

PURGE = "SELECT gateway.purge($1, $2)"

CREATE_CONVERSATION = """
INSERT INTO gateway.conversations (tenant, id, created_at, metadata, tail)
SELECT $1, $2, $3, $4, gateway.extend($1, NULL, $5, $6, $7)
WHERE NOT EXISTS (SELECT FROM gateway.conversations WHERE tenant = $1 AND id = $2)
"""

CONVERSATION = """
SELECT created_at, metadata FROM gateway.conversations WHERE tenant = $1 AND id = $2
"""

UPDATE_CONVERSATION = """
UPDATE gateway.conversations SET metadata = $3 WHERE tenant = $1 AND id = $2 RETURNING true
"""

DELETE_CONVERSATION = """
WITH gone AS (
    DELETE FROM gateway.conversations WHERE tenant = $1 AND id = $2 RETURNING tail
)
INSERT INTO gateway.loose SELECT tail FROM gone RETURNING true
"""

CONVERSATION_CONTEXT = """
SELECT list.ids, list.bodies FROM gateway.conversations conversation, LATERAL (
    SELECT array_agg(i.id ORDER BY c.place) AS ids, array_agg(i.body ORDER BY c.place) AS bodies
    FROM gateway.context(conversation.tail) c JOIN gateway.items i ON i.key = c.item
) AS list WHERE conversation.tenant = $1 AND conversation.id = $2
"""

CONVERSATION_ITEMS = """
SELECT page.* FROM gateway.conversations c, LATERAL gateway.page(c.tail, $3, $4, $5) page
WHERE c.tenant = $1 AND c.id = $2
"""

ADD_ITEMS = "SELECT gateway.add_items($1, $2, $3, $4, $5)"

REMOVE_ITEM = "SELECT gateway.remove_item($1, $2, $3)"

LOCK = """
WITH taken AS (
    UPDATE gateway.conversations SET owner = $3,
        locked_until = CASE WHEN owner = $3 THEN greatest(locked_until, $5) ELSE $5 END
    WHERE tenant = $1 AND id = $2 AND (owner IN ('', $3) OR locked_until <= $4) RETURNING true
)
SELECT EXISTS (SELECT FROM taken)
    OR NOT EXISTS (SELECT FROM gateway.conversations WHERE tenant = $1 AND id = $2)
"""

UNLOCK = """
UPDATE gateway.conversations SET owner = '' WHERE tenant = $1 AND id = $2 AND owner = $3
"""

CLAIM = """
UPDATE gateway.jobs job SET owner = $1, claimed_until = $3, attempts = attempts + 1
WHERE place = (
    SELECT place FROM gateway.jobs
    WHERE (owner = '' OR claimed_until <= $2) AND ($4 = '' OR response_id = $4)
    ORDER BY place LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING response_id, tenant, request, attempts, (
    SELECT coalesce(max(number), -1) FROM gateway.events e
    WHERE e.tenant = job.tenant AND e.response_id = job.response_id
) AS last_event
"""

RENEW = """
UPDATE gateway.jobs SET claimed_until = $3
WHERE owner = $1 AND owner <> '' AND response_id = ANY ($2::text[])
RETURNING response_id, cancelled
"""

APPEND = "SELECT gateway.append($1, $2, $3, $4, $5, $6, $7, $8, $9)"

FINISH = "SELECT gateway.finish($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"

CANCEL = """
UPDATE gateway.jobs SET cancelled = true WHERE tenant = $1 AND response_id = $2 RETURNING true
"""

EVENTS = """
SELECT r.status, list.numbers, list.frames FROM gateway.responses r, LATERAL (
    SELECT array_agg(number ORDER BY number) AS numbers, array_agg(frame ORDER BY number) AS frames
    FROM (
        SELECT e.number, e.frame FROM gateway.events e
        WHERE e.tenant = r.tenant AND e.response_id = r.id AND e.number > $3
        ORDER BY e.number LIMIT $4
    ) AS later
) AS list WHERE r.tenant = $1 AND r.id = $2
"""

MARK = """
INSERT INTO gateway.marks AS mark (tenant, name, until) VALUES ($1, $2, $4)
ON CONFLICT (tenant, name) DO UPDATE SET until = excluded.until WHERE mark.until <= $3
RETURNING true
"""

READY = "SELECT true"
