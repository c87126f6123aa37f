/** The panels of the picture, from what was measured. No I/O. */
import { combined, lastOf, peakOf, summed } from './grid.ts'
import type { Drawn, Panel } from './panel.ts'
import { containerMemory, isOfDisk, isOfNetwork, memoryUsed, spaceUsed, swapUsed, waited } from './shares.ts'
import { COLOURS, THING_COLOURS } from './svg-style.ts'
import type { Line, Overview } from './types.ts'
import { roundUp, type Unit } from './units.ts'

/** Of mounts, disks and containers those that reach highest. */
export function panelsOf(overview: Overview, mostThings: number): readonly Panel[] {
  return [
    cpu(overview),
    load(overview),
    memory(overview),
    pressure(overview),
    space(overview, mostThings),
    diskIo(overview),
    diskWait(overview, mostThings),
    network(overview),
    ...containers(overview, mostThings),
  ]
}

const TALL_PX = 92
const LOW_PX = 66

function cpu({ host }: Overview): Panel {
  const areas = [
    ['system', ['system', 'interrupt'], COLOURS.violet],
    ['user', ['user', 'nice'], COLOURS.blue],
    ['iowait', ['iowait'], COLOURS.orange],
    ['steal', ['steal'], COLOURS.red],
  ] as const
  const idle = host.line('cpu_idle_percent')
  const cpus = lastOf(host.line('cpu_count')?.avg ?? [])
  return panel('cpu', 'CPU', cpus === undefined ? '% of all CPUs' : `% of ${cpus} CPUs`, 'percent', {
    heightPx: TALL_PX,
    top: 100,
    areas: drawn(
      areas.map(([name, modes, colour]) => [
        name,
        summed(modes.map((mode) => host.line(`cpu_${mode}_percent`))),
        colour,
      ]),
    ),
    // All that is not idle, at the least idle moment.
    roof: idle && { avg: idle.avg, min: idle.min, max: idle.min.map((value) => (value === null ? null : 100 - value)) },
  })
}

function load({ host }: Overview): Panel {
  const cpus = lastOf(host.line('cpu_count')?.avg ?? [])
  return panel('load', 'Load', 'tasks that run or wait', 'count', {
    lines: drawn([
      ['load, 1 min', host.line('load_1'), COLOURS.blue],
      ['wait for disk', host.line('tasks_blocked'), COLOURS.orange],
    ]),
    least: Math.max(1, cpus ?? 1),
    ...(cpus === undefined ? {} : { limit: { at: cpus, label: `${cpus} CPUs` } }),
  })
}

function memory({ host }: Overview): Panel {
  const free = host.line('memory_free_bytes')
  const available = host.line('memory_available_bytes')
  const cache = available && free && combined([available, free], (all, rest) => Math.max(0, all - rest))
  const swap = swapUsed(host)
  const size = peakOf(host.line('memory_total_bytes')?.max ?? [])?.value
  return panel('memory', 'Memory', 'in use, and cache', 'bytes', {
    heightPx: TALL_PX,
    areas: drawn([
      ['in use', memoryUsed(host), COLOURS.blue],
      ['cache', cache, COLOURS.light],
    ]),
    lines: drawn([['swap', swap, COLOURS.red]]),
    ...(size === undefined ? {} : { top: Math.max(size, peakOf(swap?.max ?? [])?.value ?? 0) }),
  })
}

function pressure({ host }: Overview): Panel {
  return panel('pressure', 'Pressure', '% of the time stalled', 'percent', {
    heightPx: 78,
    lines: drawn([
      ['CPU', waited(host, 'cpu_some'), COLOURS.blue],
      ['memory', waited(host, 'memory_some'), COLOURS.violet],
      ['I/O', waited(host, 'io_some'), COLOURS.orange],
    ]),
    least: 10,
    most: 100,
    otherwise: 'the kernel does not tell (no /proc/pressure)',
  })
}

function space(overview: Overview, most: number): Panel {
  const full = mostly(
    most,
    overview.things('mount').map((mount) => [mount.name, spaceUsed(mount)]),
  )
  return panel('space', 'Disk space', '% used', 'percent', { heightPx: 78, top: 100, lines: full })
}

function diskIo({ things }: Overview): Panel {
  const disks = things('disk').filter(isOfDisk)
  return panel('disk-io', 'Disk I/O', 'all disks', 'bytes/s', {
    lines: drawn([
      ['read', summed(disks.map((disk) => disk.line('read_bytes_per_second'))), COLOURS.green],
      ['written', summed(disks.map((disk) => disk.line('written_bytes_per_second'))), COLOURS.violet],
    ]),
    least: 1024 * 1024,
  })
}

function diskWait({ things }: Overview, most: number): Panel {
  const disks = things('disk').filter(isOfDisk)
  const busy = mostly(
    most,
    disks.map((disk) => [disk.name, disk.line('utilisation_percent')]),
  )
  return panel('disk-wait', 'Disks busy', '% of the time', 'percent', { top: 100, lines: busy })
}

function network({ things }: Overview): Panel {
  const all = things('interface').filter(isOfNetwork)
  const troubles = ['receive_errors', 'transmit_errors', 'receive_drops', 'transmit_drops']
  const crosses = all.flatMap((one) =>
    troubles.flatMap((column) =>
      one
        .counted(column)
        .map(({ timeMs, count }) => ({ timeMs, label: `${one.name}: ${count} ${column.replace('_', ' ')}` })),
    ),
  )
  return panel('network', 'Network', 'all cards; × errors, drops', 'bytes/s', {
    lines: drawn([
      ['received', summed(all.map((one) => one.line('receive_bytes_per_second'))), COLOURS.green],
      ['sent', summed(all.map((one) => one.line('transmit_bytes_per_second'))), COLOURS.violet],
    ]),
    least: 100 * 1024,
    crosses,
  })
}

function containers({ host, things }: Overview, most: number): Panel[] {
  const all = things('container')
  const machine = host.line('memory_total_bytes')
  if (all.length === 0) return []
  const crosses = all.flatMap((one) =>
    one.counted('oom_kills').map(({ timeMs, count }) => ({ timeMs, label: `${one.name}: ${count} OOM kills` })),
  )
  return [
    panel('container-memory', 'Container RAM', '% of limit, else of all; × kill', 'percent', {
      heightPx: 78,
      top: 100,
      lines: mostly(
        most,
        all.map((one) => [one.name, containerMemory(one, machine)]),
      ),
      crosses,
    }),
    panel('container-cpu', 'Container CPU', '% of one CPU; red: throttled', 'percent', {
      heightPx: 78,
      lines: mostly(
        most,
        all.map((one) => [one.name, one.line('cpu_percent')]),
      ),
      least: 100,
    }),
  ]
}

type Row = readonly [name: string, line: Line | undefined, colour: string]

function drawn(rows: readonly Row[]): Drawn[] {
  return rows.flatMap(([name, line, colour]) => (line === undefined ? [] : [{ name, line, colour }]))
}

/** Those that reach highest. */
function mostly(most: number, rows: readonly (readonly [name: string, line: Line | undefined])[]): Drawn[] {
  const known = rows.flatMap(([name, line]) => (line ? [{ name, line, peak: peakOf(line.max)?.value ?? 0 }] : []))
  return known
    .toSorted((a, b) => b.peak - a.peak)
    .slice(0, most)
    .map(({ name, line }, at) => ({ name, line, colour: THING_COLOURS[at % THING_COLOURS.length]! }))
}

interface Options extends Partial<Omit<Panel, 'id' | 'title' | 'about' | 'unit' | 'absent'>> {
  /** The axis reaches at least that far: noise is not to look like a storm. */
  readonly least?: number
  readonly most?: number
  /** Said where nothing was measured. */
  readonly otherwise?: string
}

function panel(id: Panel['id'], title: string, about: string, unit: Unit, options: Options): Panel {
  const { areas = [], lines = [], heightPx = LOW_PX, least = 0, most = Infinity, otherwise, top, ...rest } = options
  const highest = Math.max(least, ...lines.map(({ line }) => peakOf(line.max)?.value ?? 0))
  const isAbsent = areas.length + lines.length === 0
  return {
    id,
    title,
    about,
    unit,
    heightPx,
    areas,
    lines,
    top: top ?? Math.min(most, roundUp(Math.max(highest, 1), unit)),
    ...rest,
    ...(isAbsent ? { absent: otherwise ?? 'nothing was measured' } : {}),
  }
}
