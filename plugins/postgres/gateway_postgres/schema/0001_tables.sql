-- Contexts are a persistent list: each node adds items to the context of its parent. A response is
-- its output node, whose parent is its input node; a conversation is the node that it ends with.
-- Whoever lets go of a node puts it into `loose`, and `purge` looks whether anybody else holds it.
--
-- A save that builds on a response holds a lock on its row until the node of its own is there. So
-- whoever finds a node unreferenced, after the row that held it is gone, knows that it stays so.

CREATE SEQUENCE gateway.versions;

-- `key` is a hash of tenant and body, `version` tells which of two bodies with one id is newer.
-- Ids of items are the clients', of any length, and may hold NUL, which no text can.
CREATE TABLE gateway.items (
    key bytea PRIMARY KEY,
    tenant text NOT NULL,
    id bytea NOT NULL,
    version bigint NOT NULL,
    body bytea NOT NULL
);
CREATE INDEX ON gateway.items (tenant, sha256(id));

CREATE TABLE gateway.nodes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent bigint REFERENCES gateway.nodes
);
CREATE INDEX ON gateway.nodes (parent);

CREATE TABLE gateway.entries (
    node bigint REFERENCES gateway.nodes ON DELETE CASCADE,
    position integer,
    item bytea NOT NULL REFERENCES gateway.items,
    PRIMARY KEY (node, position)
);
CREATE INDEX ON gateway.entries (item);

CREATE TABLE gateway.loose (node bigint NOT NULL);

CREATE TABLE gateway.responses (
    tenant text,
    id text,
    created_at double precision NOT NULL,
    expires_at double precision NOT NULL,
    status text NOT NULL,
    model text NOT NULL,
    body bytea NOT NULL,
    conversation text NOT NULL,
    output bigint NOT NULL REFERENCES gateway.nodes,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX ON gateway.responses (expires_at);
CREATE INDEX ON gateway.responses (output);

CREATE TABLE gateway.conversations (
    tenant text,
    id text,
    created_at double precision NOT NULL,
    metadata bytea NOT NULL,
    tail bigint NOT NULL REFERENCES gateway.nodes,
    owner text NOT NULL DEFAULT '',
    locked_until double precision NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (tenant, id)
);
CREATE INDEX ON gateway.conversations (tail);

CREATE TABLE gateway.jobs (
    tenant text,
    response_id text,
    place bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    request bytea NOT NULL,
    attempts integer NOT NULL,
    owner text NOT NULL DEFAULT '',
    claimed_until double precision NOT NULL DEFAULT '-infinity',
    cancelled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant, response_id),
    FOREIGN KEY (tenant, response_id) REFERENCES gateway.responses ON DELETE CASCADE
);

CREATE TABLE gateway.events (
    tenant text,
    response_id text,
    number bigint,
    frame bytea NOT NULL,
    PRIMARY KEY (tenant, response_id, number),
    FOREIGN KEY (tenant, response_id) REFERENCES gateway.responses ON DELETE CASCADE
);
