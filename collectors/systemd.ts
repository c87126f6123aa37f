import type { Artifact, Collector, Kit } from '../src/collector.ts'
import { once } from './lib/proc-text.ts'
import { adminUnitFiles } from './lib/systemd-admin-files.ts'
import { restartReport, restartProperties } from './lib/systemd-restart.ts'
import { restartedUnits, restartsProperties, restartsText } from './lib/systemd-restarts.ts'
import { type Unit, failedUnits, keyUnits, parseUnits } from './lib/systemd-units.ts'

/** Units looked at one by one: more than that failing at once have one cause, and the list of units names them all. */
const detailedUnits = 40

export default {
  title: 'systemd: units, failures, timers, jobs, what the administrator changed, what a restart takes down',
  tier: 'state',
  async *collect(kit) {
    if (!kit.host.systemd) {
      yield kit.skipped('list-units.txt', 'PID 1 is not systemd')
      return
    }
    yield kit.command`systemctl list-units --failed --all --full --plain --no-pager`.as('failed-units.txt').in('facts')
    // Exit code 1: the state is anything but "running".
    yield kit.command`systemctl is-system-running`.as('is-system-running.txt').accept(1).in('facts')
    const restartCounts = once(() => askRestarts(kit))
    yield kit.text('restarts.txt', async () => restartsText(await restartCounts())).in('facts')
    yield kit.command`systemctl list-units --all --full --plain --no-pager`.as('list-units.txt')
    yield kit.command`systemctl list-jobs --full --no-pager`.as('list-jobs.txt')
    yield kit.command`systemctl list-timers --all --full --no-pager`.as('list-timers.txt')
    yield kit.command`systemctl list-sockets --all --full --no-pager`.as('list-sockets.txt')
    yield kit.command`systemctl list-unit-files --full --no-pager`.as('list-unit-files.txt')
    yield kit.command`systemctl get-default`.as('default-target.txt')
    yield* unitByUnit(kit, restartedUnits(await restartCounts().catch(() => '')))
    yield kit.command`systemd-delta --no-pager --type=extended,overridden,masked`
      .as('delta.txt')
      .needs({ command: 'systemd-delta' })
    yield* adminUnitFiles(kit)
  },
} satisfies Collector

async function* unitByUnit(kit: Kit, restarted: readonly string[]): AsyncGenerator<Artifact> {
  const asked = await kit.run`systemctl list-units --all --full --plain --no-legend --no-pager`.catch(String)
  if (typeof asked === 'string' || asked.exitCode !== 0) {
    const why = typeof asked === 'string' ? asked : asked.stderr.trim()
    yield kit.skipped('status.txt', `systemd did not list its units, so none was looked at by itself: ${why}`)
    return
  }
  const units = parseUnits(asked.stdout)
  const failed = failedUnits(units)
  const key = keyUnits(units, kit.self.watchedUnits)
  for (const name of [...new Set([...failed, ...restarted, ...key])].slice(0, detailedUnits)) {
    // Exit codes 1 to 4 tell the unit's state: dead, dead with a lock or pid file, not running, unknown.
    yield kit.command`systemctl status --no-pager --full -n 50 -- ${name}`.as(`status/${name}.txt`).accept(1, 2, 3, 4)
    yield kit.command`systemctl show --no-pager -- ${name}`.as(`show/${name}.txt`)
  }
  for (const name of key.slice(0, detailedUnits)) {
    yield kit.command`systemctl list-dependencies --reverse --all --plain --no-pager -- ${name}`.as(
      `needed-by/${name}.txt`,
    )
  }
  yield kit.text('restart-takes-down.txt', () => restarts(kit, key, units))
}

async function askRestarts(kit: Kit): Promise<string> {
  const { stdout, stderr, exitCode } =
    await kit.run`systemctl show --no-pager --property=${restartsProperties.join(',')} -- *.service`
  if (exitCode !== 0) throw new Error(`systemctl show: ${stderr.trim()}`)
  return stdout
}

async function restarts(kit: Kit, key: readonly string[], units: readonly Unit[]): Promise<string> {
  const names = units.filter((unit) => unit.load !== 'not-found').map((unit) => unit.name)
  const properties = `--property=${restartProperties.join(',')}`
  let shown = ''
  // 500 names at a time, so that no command line grows past what the kernel takes.
  for (let i = 0; i < names.length; i += 500) {
    const some = names.slice(i, i + 500)
    const { stdout, stderr, exitCode } = await kit.run`systemctl show --no-pager ${properties} -- ${some}`
    if (exitCode !== 0) throw new Error(`systemctl show: ${stderr.trim()}`)
    shown += `${stdout}\n\n`
  }
  return restartReport(shown, key)
}
