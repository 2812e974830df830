"""The tables of the SQLite store, and how older files become today's.

`nodes` are points on lists of items: the items of a node come after those of its parent, which
always has the lower number. `items` has one row for each item that a tenant ever wrote, found by
the digest of its body; the body itself is in `contents`, which is never changed. A node's `items`
are numbers of contents, as a JSON array.

`holders` counts who needs a row: for an item the places on nodes, for a node its children, the
responses that end there and the conversations that end there. What nobody holds is purged.
"""

from __future__ import annotations

from sqlite3 import Connection

__all__ = ["APPLICATION", "VERSION", "migrate", "version_of"]

APPLICATION = 0x67775253
"""Marks a file as ours, in its header."""

_FIRST = (
    """
    CREATE TABLE responses (
        number INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        id TEXT NOT NULL,
        created_at REAL NOT NULL,
        expires_at REAL NOT NULL,
        status TEXT NOT NULL,
        model TEXT NOT NULL,
        node INTEGER,               -- where its context ends, and which it holds
        outputs INTEGER NOT NULL,   -- so many of the last items of that node are its output
        body BLOB NOT NULL,
        UNIQUE (tenant, id)
    )
    """,
    "CREATE INDEX responses_expire ON responses (expires_at)",
    """
    CREATE TABLE nodes (
        number INTEGER PRIMARY KEY,
        parent INTEGER,
        holders INTEGER NOT NULL,
        items TEXT NOT NULL
    )
    """,
    "CREATE INDEX unheld_nodes ON nodes (number) WHERE holders = 0",
    """
    CREATE TABLE items (
        tenant TEXT NOT NULL,
        id TEXT NOT NULL,
        digest BLOB NOT NULL,
        number INTEGER NOT NULL,   -- of its content
        holders INTEGER NOT NULL,
        written INTEGER NOT NULL,  -- the highest is the form of this id that was written last
        PRIMARY KEY (tenant, id, digest)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX unheld_items ON items (number) WHERE holders = 0",
    """
    CREATE TABLE contents (
        number INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        id TEXT NOT NULL,
        digest BLOB NOT NULL,
        body BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE conversations (
        tenant TEXT NOT NULL,
        id TEXT NOT NULL,
        created_at REAL NOT NULL,
        node INTEGER,       -- where it ends, and which it holds
        owner TEXT,         -- of its lock
        until REAL NOT NULL DEFAULT 0,
        metadata BLOB NOT NULL,
        PRIMARY KEY (tenant, id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE jobs (
        response INTEGER PRIMARY KEY,  -- which also tells how old the work is
        tenant TEXT NOT NULL,
        response_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        origin INTEGER,     -- the node that the conversation ended with
        owner TEXT,
        until REAL NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL,
        cancelled INTEGER NOT NULL DEFAULT 0,
        request BLOB NOT NULL,
        UNIQUE (response_id, tenant)
    )
    """,
    """
    CREATE TABLE events (
        response INTEGER NOT NULL,
        number INTEGER NOT NULL,
        frame BLOB NOT NULL,
        PRIMARY KEY (response, number)
    ) WITHOUT ROWID
    """,
)
_MARKS = (  # which may be there: version 1 of the code sets a higher version back to its own
    """
    CREATE TABLE IF NOT EXISTS marks (
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        until REAL NOT NULL,
        PRIMARY KEY (tenant, name)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS marks_expire ON marks (until)",
)
_MIGRATIONS = (_FIRST, _MARKS)  # each leads from the version of its position to the next

VERSION = len(_MIGRATIONS)
"""The version of the tables that this code reads and writes."""


def version_of(connection: Connection) -> int:
    [(version,)] = connection.execute("PRAGMA user_version").fetchall()
    return version


def migrate(connection: Connection) -> None:
    """Bring the tables up to date, in the transaction that is under way.

    What a newer gateway has made of them meanwhile stays as it is.
    """
    version = version_of(connection)
    for statements in _MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {max(version, VERSION)}")
