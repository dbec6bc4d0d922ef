-- Runs, their journals, effects, files and secrets. Never edited after a release; a change is a new file.

-- What a run is; written once. Its digest is the root of the run's hash chain.
CREATE TABLE runs (
    n          INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    runbook    TEXT NOT NULL,
    customer   TEXT,
    target     TEXT NOT NULL,
    settings   TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

-- What changes with every append: the end of the chain, the summary for lists, the lease. One small row a run.
CREATE TABLE heads (
    run          INTEGER PRIMARY KEY REFERENCES runs (n),
    seq          INTEGER NOT NULL,
    hash         BLOB NOT NULL,
    last_ms      INTEGER NOT NULL,
    mode         TEXT NOT NULL,
    ending       TEXT,
    steps_done   INTEGER NOT NULL,
    effects_done INTEGER NOT NULL,
    owned        INTEGER NOT NULL,
    file_set     INTEGER NOT NULL,
    fence        INTEGER NOT NULL,
    holder       TEXT,
    since_ms     INTEGER NOT NULL,
    beat_ms      INTEGER NOT NULL
) STRICT;

-- The journal. Rows are only ever added.
CREATE TABLE entries (
    run     INTEGER NOT NULL REFERENCES runs (n),
    seq     INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL,
    sim_ms  INTEGER,
    payload TEXT NOT NULL,
    hash    BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

-- The state of each effect, and whether it stands in the inventory: what an append must know without reading the journal.
CREATE TABLE effects (
    run        INTEGER NOT NULL REFERENCES runs (n),
    step       TEXT NOT NULL,
    ordinal    INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state      TEXT NOT NULL,
    owned      INTEGER NOT NULL,
    PRIMARY KEY (run, step, ordinal, generation)
) STRICT, WITHOUT ROWID;

-- Contents, each kept once.
CREATE TABLE files (
    digest  TEXT PRIMARY KEY,
    content BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Which files a run's script is made of, the root first. An edit is a new set; the old ones stay.
CREATE TABLE run_files (
    run      INTEGER NOT NULL REFERENCES runs (n),
    file_set INTEGER NOT NULL,
    ord      INTEGER NOT NULL,
    name     TEXT NOT NULL,
    digest   TEXT NOT NULL REFERENCES files (digest),
    PRIMARY KEY (run, file_set, ord)
) STRICT, WITHOUT ROWID;

-- Ciphertext only.
CREATE TABLE secrets (
    run    INTEGER NOT NULL REFERENCES runs (n),
    name   TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
