-- The sandbox's world: documents by key, and a version that every commit raises.

CREATE TABLE world (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT;

INSERT INTO world (one, version) VALUES (1, 0);

CREATE TABLE documents (
    key  TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
