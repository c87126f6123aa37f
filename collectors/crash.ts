import type { Collector, Kit } from '../src/collector.ts'
import { configFiles } from './lib/config-files.ts'

/** Crash dumps of the newest processes that are described in detail; each costs a search of the journal. */
const detailedDumps = 5
/** Files listed per folder. */
const listedFiles = 1000

export default {
  title: 'Crashes: pstore, core dumps (their descriptions, never contents), crash folders',
  tier: 'facts',
  async *collect(kit) {
    yield kit.files('/sys/fs/pstore/*').as('pstore/')
    // systemd-pstore moves them here, one folder per crash.
    for (const path of (await kit.glob('/var/lib/systemd/pstore/**')).slice(0, 200)) {
      if ((await kit.stat(path))?.kind === 'file') yield kit.file(path).as(path.replace('/var/lib/systemd/', ''))
    }
    yield kit.command`coredumpctl list --no-pager`.as('coredumps.txt').accept(1).needs({ command: 'coredumpctl' })
    for (const pid of await newestDumps(kit)) {
      yield kit.command`coredumpctl info --no-pager -1 ${pid}`.as(`coredump-${pid}.txt`).in('state')
    }
    yield kit.json('crash-files.json', () => crashFiles(kit))
    yield kit.files('/proc/sys/kernel/{core_pattern,core_uses_pid,panic,panic_on_oops}').as('settings/')
    yield* configFiles(kit, 'settings', '/sys/kernel/{kexec_crash_loaded,kexec_crash_size}')
    yield* configFiles(kit, 'settings', '/etc/default/kdump-tools', '/etc/kdump.conf')
    yield* configFiles(kit, 'settings', '/etc/systemd/coredump.conf', '/etc/systemd/coredump.conf.d/*.conf')
  },
} satisfies Collector

/** Process ids of the newest core dumps, from the listing: `Sat 2026-11-21 09:51:35 UTC 4711 0 0 SIGSEGV present /usr/bin/x 24K`. */
async function newestDumps(kit: Kit): Promise<string[]> {
  if (await kit.missing({ command: 'coredumpctl' })) return []
  const list = await kit.run`coredumpctl list --no-pager --no-legend -r -n 50`.catch(() => undefined)
  const pids = (list?.stdout ?? '').split('\n').map((line) => /^\S+ [\d-]+ [\d:]+ \S+\s+(\d+)\s/.exec(line)?.[1])
  return [...new Set(pids.filter((pid) => pid !== undefined))].slice(0, detailedDumps)
}

/** Names, sizes and times of what crashed programs and kernels left: the contents are their memory and stay where they are. */
async function crashFiles(kit: Kit) {
  const folders = ['/var/crash', '/var/lib/systemd/coredump', '/var/spool/abrt', '/var/cores']
  const listed = await Promise.all(
    folders.map(async (folder) => {
      const paths = await kit.glob(`${folder}/*`, `${folder}/*/*`)
      return {
        folder,
        files: await Promise.all(paths.slice(0, listedFiles).map((path) => facts(kit, path))),
        count: paths.length,
      }
    }),
  )
  return listed.filter(({ count }) => count > 0)
}

async function facts(kit: Kit, path: string) {
  const stat = await kit.stat(path)
  return { path, kind: stat?.kind, sizeBytes: stat?.sizeBytes, modified: stat && new Date(stat.mtimeMs).toISOString() }
}
