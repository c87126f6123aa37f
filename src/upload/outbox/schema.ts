/** The tables of uploads.db, and how an older one becomes today's. For people: docs/databases.md. */

/** `diau`, in the header of the file: whose database it is. */
export const APPLICATION_ID = 0x64696175

/** Each brings the database from the version before it to its own: the first makes version 1. Never changed, only added to. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE uploads (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival
    trigger      TEXT NOT NULL,                     -- why it is sent
    rank         INTEGER NOT NULL,                  -- smaller ones go first
    reason       TEXT NOT NULL,
    parameters   TEXT NOT NULL,                     -- of the bundle, JSON
    time_ms      INTEGER NOT NULL,                  -- of what it is about, milliseconds since 1970, as all of these
    created_ms   INTEGER NOT NULL,
    boot_id      TEXT NOT NULL,
    state        TEXT NOT NULL,                     -- waiting, running, uploaded, gave-up, dropped
    tries        INTEGER NOT NULL,
    next_try_ms  INTEGER,
    decided_ms   INTEGER NOT NULL,                  -- when next_try_ms was decided
    last_error   TEXT,                              -- JSON
    started_ms   INTEGER,
    finished_ms  INTEGER,
    bundle_id    TEXT,
    key          TEXT,
    size_bytes   INTEGER,
    sha256       TEXT,
    verified     INTEGER,
    multipart_id TEXT,                              -- may still lie about at the target
    outcome      TEXT
  );
  CREATE INDEX uploads_waiting ON uploads (rank, created_ms) WHERE state = 'waiting';
  CREATE INDEX uploads_finished ON uploads (id) WHERE state NOT IN ('waiting', 'running');
  CREATE INDEX uploads_trigger ON uploads (trigger, created_ms);

  CREATE TABLE plans (                              -- the last run of each schedule that became an upload, or was skipped
    name    TEXT PRIMARY KEY,
    time_ms INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE VIEW latest AS
    SELECT id, strftime('%Y-%m-%dT%H:%M:%fZ', created_ms / 1000.0, 'unixepoch') AS created, trigger, state, tries,
      json_extract(last_error, '$.kind') AS error, key, size_bytes, reason
    FROM uploads ORDER BY id DESC LIMIT 100;
  `,
]
