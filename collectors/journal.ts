import type { Artifact, Collector, Kit } from '../src/collector.ts'
import { configFiles } from './lib/config-files.ts'
import { bootsWithin, parseBoots } from './lib/journal-boots.ts'
import { journalFiles, journalFilesText, journalLacks } from './lib/journal-files.ts'
import { suppressedTable } from './lib/journal-suppressed.ts'
import { restartedUnits } from './lib/systemd-restarts.ts'
import { failedUnits, parseUnits } from './lib/systemd-units.ts'

/** Failed and failing units whose last lines are shown apart; more failing at once have one cause, and all are in the boot's log. */
const mostFailedUnits = 40
/** A machine in a boot loop: the newest boots tell as much as all of them. */
const mostBoots = 20

export default {
  title: 'systemd journal: one log per boot in the window, failed units, dropped messages, state of journald',
  tier: 'logs',
  needs: { command: 'journalctl' },
  async *collect(kit) {
    yield kit.command`journalctl --disk-usage --quiet`.as('disk-usage.txt').in('state')
    yield kit.text('files.txt', () => journalFilesText(kit)).in('state')
    const lacking = await journalLacks(kit)
    if (lacking !== undefined) yield kit.skipped('suppressed.txt', lacking)
    else yield kit.text('suppressed.txt', () => suppressed(kit)).in('state')
    for await (const file of configFiles(kit, 'config', ...configGlobs)) yield file.in('state')
    yield* failing(kit)
    yield* boots(kit)
    if (kit.host.systemd) yield kit.journal({ unit: 'diagd.service' }).as('diagd.log')
  },
} satisfies Collector

const configGlobs = [
  '/etc/systemd/journald.conf',
  '/etc/systemd/journald.conf.d/*.conf',
  '/run/systemd/journald.conf.d/*.conf',
  '/usr/lib/systemd/journald.conf.d/*.conf',
]

/** Newest first. Where the boots cannot be told apart, the window in one piece. */
async function* boots(kit: Kit): AsyncGenerator<Artifact> {
  const listed = await kit.run`journalctl --list-boots --quiet --no-pager --utc`.catch(() => undefined)
  const within = bootsWithin(parseBoots(listed?.stdout ?? ''), await kit.intervals())
  if (within.length === 0) yield kit.journal().as('journal.log')
  const newestFirst = within.sort((a, b) => b.offset - a.offset)
  for (const { id, offset } of newestFirst.slice(0, mostBoots)) {
    yield kit.journal({ boot: id }).as(`boot-${-offset}.log`)
  }
  const left = newestFirst.length - mostBoots
  if (left > 0) yield kit.skipped('older-boots.log', `${left} older boots of the window are left out`)
}

async function* failing(kit: Kit): AsyncGenerator<Artifact> {
  if (!kit.host.systemd) return
  const asked =
    await kit.run`systemctl list-units --state=failed,auto-restart --all --full --plain --no-legend --no-pager`.catch(
      String,
    )
  if (typeof asked === 'string') {
    yield kit.skipped('failed-units.log', `systemd did not say which units failed: ${asked}`)
    return
  }
  // A service in a restart loop may just be running.
  const shown = await kit.run`systemctl show --no-pager --property=Id,NRestarts -- *.service`.catch(() => undefined)
  const units = new Set([...failedUnits(parseUnits(asked.stdout)), ...restartedUnits(shown?.stdout ?? '')])
  for (const unit of [...units].slice(0, mostFailedUnits)) {
    yield kit.journal({ unit, lastLines: 200 }).as(`failed-units/${unit}.log`).in('state')
  }
}

/** Lines asked for: a rate limit that strikes more often than this within the window is news enough. */
const mostSuppressed = 5000

async function suppressed(kit: Kit): Promise<string> {
  if ((await journalFiles(kit)).length === 0) return 'unknown: there is no journal file\n'
  const sinceMs = Math.min(...(await kit.intervals()).map((interval) => interval.sinceMs))
  const since = `--since=@${Math.floor(sinceMs / 1000)}`
  const pattern = '--grep=Suppressed [0-9]+ messages'
  const { stdout, stderr, exitCode } =
    await kit.run`journalctl --quiet --no-pager --utc -o short-iso -t systemd-journald ${since} -n ${mostSuppressed} ${pattern}`
  // Exit code 1 without a word: nothing matched.
  if (exitCode !== 0 && stderr.trim() !== '') throw new Error(`journalctl: ${stderr.trim()}`)
  const all = stdout.split('\n').length <= mostSuppressed
  return (
    suppressedTable(stdout) + (all ? '' : `… only ${mostSuppressed} such messages are counted; there may be more\n`)
  )
}
