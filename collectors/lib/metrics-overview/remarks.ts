/** What stands out, the gravest first: for the head of the picture, for the table and for summary.txt. No I/O. */
import { clockOf, exceeded, type Exceeded } from './exceeded.ts'
import { combined, summed } from './grid.ts'
import { containerMemory, inodesUsed, memoryUsed, shareOf, spaceUsed, swapUsed, waited } from './shares.ts'
import { topAt } from './top-processes.ts'
import type { Gap, Overview, PanelId, Remark, Span, Thing } from './types.ts'

/** From where on a number is worth a line; nothing else decides that. */
const LIMITS = {
  memory: { max: 95 },
  swap: { max: 80 },
  disk: { max: 95 },
  containerMemory: { max: 95 },
  table: { max: 90 },
  busy: { avg: 95, forMs: 600_000 },
  iowait: { avg: 30, forMs: 60_000 },
  steal: { avg: 10, forMs: 60_000 },
  cpuPressure: { avg: 60, forMs: 300_000 },
  memoryPressure: { avg: 10, forMs: 30_000 },
  ioPressure: { avg: 40, forMs: 60_000 },
  throttled: { avg: 25, forMs: 60_000 },
  retransmits: { avg: 5, forMs: 60_000 },
} as const

export function remarksOf(overview: Overview): readonly Remark[] {
  const all = [
    ...kills(overview),
    ...ofMemory(overview),
    ...ofMounts(overview),
    ...ofContainers(overview),
    ...ofDisks(overview),
    ...ofProcessor(overview),
    ...ofNetwork(overview),
    ...ofTime(overview),
  ]
  return [...all.filter(({ severity }) => severity === 'bad'), ...all.filter(({ severity }) => severity === 'odd')]
}

/**
 * In each container, and on the machine where those are not all. The kernel counts there who was killed by the limit of
 * a control group, too; a container that ended before it was measured has no number of its own to tell that by.
 */
function kills({ host, things, grid }: Overview): Remark[] {
  const of = (thing: Thing) => thing.counted('oom_kills')
  const containers = things('container').filter((one) => of(one).length > 0)
  const [all, inContainers] = [total(of(host)), containers.reduce((sum, one) => sum + total(of(one)), 0)]
  const said = (panel: PanelId, where: string, thing: Thing, more = ''): Remark => {
    const count = total(of(thing))
    const when = `${count === 1 ? '' : 'the last '}at ${clockOf(grid, of(thing).at(-1)!.timeMs)}`
    return {
      panel,
      severity: 'bad',
      what: `Out of memory ${where}`,
      said: `${count === 1 ? '1 process was' : `${count} processes were`} killed${more}, ${when}`,
      spans: of(thing).map(({ timeMs }) => ({ fromMs: timeMs, toMs: timeMs + grid.stepMs })),
    }
  }
  const ofThem = inContainers > 0 ? `, ${inContainers} of them in the containers named here` : ''
  return [
    ...(all > inContainers ? [said('memory', 'on the machine or by a limit in it', host, ofThem)] : []),
    ...containers.map((one) => said('container-memory', `in container ${one.name}`, one)),
  ]
}

const total = (counts: ReturnType<Thing['counted']>): number => counts.reduce((sum, { count }) => sum + count, 0)

function ofMemory(overview: Overview): Remark[] {
  const { host, grid } = overview
  const used = exceeded(shareOf(memoryUsed(host), host.line('memory_total_bytes')), LIMITS.memory, grid)
  const swap = exceeded(shareOf(swapUsed(host), host.line('swap_total_bytes')), LIMITS.swap, grid)
  const stalled = exceeded(waited(host, 'memory_full'), LIMITS.memoryPressure, grid)
  const largest = (at: Exceeded) => topAt(overview, at.step, 'Largest then', 'resident_bytes', 'bytes')
  return [
    ...bad('memory', 'Memory in use', used, largest),
    ...bad('memory', 'Swap in use', swap),
    ...bad('pressure', 'All tasks waited for memory', stalled, largest),
  ]
}

function ofMounts({ things, grid }: Overview): Remark[] {
  const all = things('mount')
  return [
    ...all.flatMap((one) => bad('space', `Disk ${one.name}, space used`, exceeded(spaceUsed(one), LIMITS.disk, grid))),
    ...all.flatMap((one) =>
      bad('space', `Disk ${one.name}, inodes used`, exceeded(inodesUsed(one), LIMITS.disk, grid)),
    ),
  ]
}

function ofContainers({ things, grid }: Overview): Remark[] {
  const all = things('container')
  const memory = (one: Thing) => exceeded(containerMemory(one, undefined), LIMITS.containerMemory, grid)
  const throttled = (one: Thing) => exceeded(one.line('cpu_throttled_percent'), LIMITS.throttled, grid)
  return [
    ...all.flatMap((one) => bad('container-memory', `Container ${one.name}, memory of its limit`, memory(one))),
    ...all.flatMap((one) => bad('container-cpu', `Container ${one.name}, throttled`, throttled(one))),
  ]
}

function ofDisks(overview: Overview): Remark[] {
  const { host, grid } = overview
  const writer = (at: Exceeded) => topAt(overview, at.step, 'Wrote most then', 'written_bytes_per_second', 'bytes/s')
  return [
    ...bad(
      'pressure',
      'All tasks waited for a disk',
      exceeded(waited(host, 'io_full'), LIMITS.ioPressure, grid),
      writer,
    ),
    ...bad(
      'cpu',
      'CPU waiting for disks (iowait)',
      exceeded(host.line('cpu_iowait_percent'), LIMITS.iowait, grid),
      writer,
    ),
  ]
}

function ofProcessor(overview: Overview): Remark[] {
  const { host, grid } = overview
  const busiest = (at: Exceeded) => topAt(overview, at.step, 'Busiest then', 'cpu_percent', 'percent')
  const modes = ['user', 'nice', 'system', 'interrupt', 'steal'].map((mode) => host.line(`cpu_${mode}_percent`))
  return [
    ...bad('cpu', 'CPU taken for other machines (steal)', exceeded(host.line('cpu_steal_percent'), LIMITS.steal, grid)),
    ...bad('cpu', 'CPU busy', exceeded(summed(modes), LIMITS.busy, grid), busiest),
    ...bad('pressure', 'Tasks waited for a CPU', exceeded(waited(host, 'cpu_some'), LIMITS.cpuPressure, grid), busiest),
  ]
}

function ofNetwork({ host, grid }: Overview): Remark[] {
  const [again, sent] = [host.line('tcp_retransmits_per_second'), host.line('tcp_out_segments_per_second')]
  // Of ten segments one is soon lost: that tells nothing.
  const lost =
    again && sent && combined([again, sent], (part, all) => (all < 10 ? 0 : Math.min(100, (100 * part) / all)))
  const tracked = shareOf(host.line('conntrack_entries'), host.line('conntrack_limit'))
  const files = shareOf(host.line('file_descriptors'), host.line('file_descriptors_limit'))
  return [
    ...bad('network', 'TCP segments sent again', exceeded(lost, LIMITS.retransmits, grid)),
    ...bad('network', 'Connections tracked, of the limit', exceeded(tracked, LIMITS.table, grid)),
    ...bad(undefined, 'Open files, of the limit', exceeded(files, LIMITS.table, grid)),
  ]
}

/** Where numbers are missing, or do not compare. */
function ofTime({ happenings, gaps, grid }: Overview): Remark[] {
  const clocks = happenings.filter(({ kind }) => kind === 'clock').toReversed()
  const holes = gaps.filter(({ kind }) => kind !== 'boot').toSorted((a, b) => lengthOf(b) - lengthOf(a))
  const hole = (gap: Gap) => `${gap.label}, ${clockOf(grid, gap.fromMs)} to ${clockOf(grid, gap.toMs)}`
  return [
    ...listed(
      'Clock',
      clocks.map(({ label, timeMs }) => `${label.replace(/^clock /, '')} at ${clockOf(grid, timeMs)}`),
    ),
    ...listed(
      'No numbers',
      holes.map((gap) => hole(gap)),
    ),
  ]
}

/** Boots and errors, by their names: what explains the numbers. summary.txt tells of them elsewhere. */
export function happenedIn({ happenings, grid }: Overview): Remark[] {
  const boots = happenings.filter(({ kind }) => kind === 'boot').toReversed()
  const errors = happenings.filter(({ kind }) => kind === 'error' || kind === 'critical')
  const names = [...Map.groupBy(errors, ({ label }) => label)].toSorted(([, a], [, b]) => b.length - a.length)
  const times = (count: number) => (count > 1 ? ` ×${count}` : '')
  return [
    ...listed(
      'Booted',
      boots.map(({ label, timeMs }) => `${label.replace(/^boot ?/, '')} at ${clockOf(grid, timeMs)}`.trim()),
    ),
    ...listed(
      'Errors',
      names.map(([name, all]) => `${name}${times(all.length)}, ${clockOf(grid, all.at(-1)!.timeMs)}`),
    ),
  ]
}

const FEW = 3

function listed(what: string, all: readonly string[]): Remark[] {
  if (all.length === 0) return []
  const more = all.length > FEW ? `; ${all.length - FEW} more` : ''
  return [{ severity: 'odd', what, said: all.slice(0, FEW).join('; ') + more, spans: [] }]
}

const lengthOf = ({ fromMs, toMs }: Span): number => toMs - fromMs

function bad(
  panel: PanelId | undefined,
  what: string,
  found: Exceeded | undefined,
  who: (found: Exceeded) => string = () => '',
): Remark[] {
  if (!found) return []
  const { said, spans } = found
  return [{ ...(panel && { panel }), severity: 'bad', what, said: said + who(found), spans }]
}
