/**
 * A collector of your own. Copied to /etc/diagd/collectors.d/postgres.ts (owned by root, not writable by others) it is
 * `postgres` in every flag and has the folder `postgres/` in the bundle. `diagd check` says whether it is accepted.
 */

// Types for the editor only: erased before the file runs, so that a drop-in imports nothing. Leave it out at will.
import type { Collector } from '../../src/collector.ts'

export default {
  title: 'PostgreSQL: configuration, log, readiness',
  tier: 'logs',
  // Not there: skipped with the reason. Nothing is started to find out.
  needs: { command: 'pg_isready' },
  async *collect({ command, files, logs, journal, list, text, withheld }) {
    // Each ${value} stays one argument, whatever is in it: there is no shell. 1 and 2 mean "not ready", which is an answer.
    const port = 5432
    yield command`pg_isready --port=${port}`.as('ready.txt').in('facts').accept(1, 2)

    // Whole files; a trailing slash keeps their names.
    yield files('/etc/postgresql/*/*/*.conf').as('etc/').in('state')

    // What falls into the window, rotations included; and the unit's journal.
    yield logs('/var/log/postgresql/*.log*')
    yield journal({ unit: 'postgresql.service' }).as('journal.log')

    // Looking, to decide what to describe: absent is an empty list, not an error.
    for (const version of await list('/etc/postgresql')) {
      yield withheld(`${version}-pg_service.txt`, 'may hold passwords')
    }

    // A text of your own, made when its turn comes.
    yield text('versions.txt', async () => `${(await list('/usr/lib/postgresql')).join('\n')}\n`).in('facts')
  },
} satisfies Collector
