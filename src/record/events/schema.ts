/** The tables of events.db, and how an older one becomes today's. For people: docs/events.md. */

/** `diag`, in the header of the file: whose database it is. */
export const APPLICATION_ID = 0x64696167

/** Each brings the database from the version before it to its own: the first makes version 1. Never changed, only added to. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE events (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival
    boot_id      TEXT NOT NULL,
    time         TEXT NOT NULL,                     -- ISO 8601, UTC, microseconds
    monotonic_ms REAL,                              -- milliseconds since the boot
    source       TEXT NOT NULL,
    type         TEXT NOT NULL,
    level        TEXT NOT NULL,
    subject      TEXT NOT NULL,
    message      TEXT NOT NULL,
    detail       TEXT                               -- JSON
  );
  CREATE INDEX events_boot ON events (boot_id);
  CREATE INDEX events_time ON events (time);
  CREATE INDEX events_source ON events (source);
  CREATE INDEX events_type ON events (type);
  CREATE INDEX events_grave ON events (id) WHERE level IN ('warning', 'error', 'critical');

  CREATE TABLE boots (
    boot_id TEXT PRIMARY KEY,
    first   TEXT NOT NULL,                          -- first and last that is known of it
    last    TEXT NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE cursors (                            -- where a source goes on after a restart
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) WITHOUT ROWID;

  CREATE VIEW latest AS
    SELECT id, time, level, type, subject, message FROM events ORDER BY id DESC LIMIT 100;
  CREATE VIEW problems AS
    SELECT id, time, level, type, subject, message, boot_id FROM events
    WHERE level IN ('warning', 'error', 'critical') ORDER BY id DESC;
  CREATE VIEW boot_list AS
    SELECT boot_id, first, last,
      (SELECT count(*) FROM events WHERE events.boot_id = boots.boot_id) AS events
    FROM boots ORDER BY last DESC;
  CREATE VIEW counts AS
    SELECT type, level, count(*) AS events, max(time) AS last FROM events GROUP BY type, level ORDER BY events DESC;
  `,
]
