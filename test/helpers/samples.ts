/**
 * Samples of a machine that nobody has: what a real one of two CPUs and 24 GiB told, with more mounts, disks and containers, and
 * wandering numbers. The same from the same start.
 */
import { columnsOf, type KeptSubject } from '../../src/record/metrics/database/columns.ts'
import type { KeptSample } from '../../src/record/metrics/database/write.ts'
import type { SampleRow } from '../../src/record/metrics/metric.ts'

export interface MachineOptions {
  readonly mounts?: number
  readonly disks?: number
  readonly interfaces?: number
  readonly containers?: number
  readonly startMs?: number
  readonly intervalMs?: number
}

export interface Machine {
  /** The next one, an interval later. */
  next(change?: Partial<KeptSample>): KeptSample
}

export const BOOT_ID = '0f1e2d3c-0000-4000-8000-000000000001'
export const MONDAY_MS = Date.UTC(2026, 5, 15)

export function machine(options: MachineOptions = {}): Machine {
  const { mounts = 1, disks = 1, interfaces = 1, containers = 0, startMs = MONDAY_MS, intervalMs = 10_000 } = options
  const random = randomFrom(7)
  const things = [
    thing('host', {}),
    ...times(mounts, (at) => thing('mount', { mountpoint: `/data/${at}`, device: `/dev/vdb${at}`, fstype: 'ext4' })),
    ...times(disks, (at) => thing('disk', { device: `vd${'abcdefgh'[at]}` })),
    ...times(interfaces, (at) => thing('interface', { device: `eth${at}` })),
    ...times(containers, (at) => thing('container', containerLabels(at))),
  ]
  let count = 0
  return {
    next(change = {}) {
      const elapsedMs = intervalMs * count++
      const [timeMs, monotonicMs] = [startMs + elapsedMs, 60_000 + elapsedMs]
      const base = { timeMs, monotonicMs, boottimeMs: monotonicMs, bootId: BOOT_ID, marks: [] }
      const busy = 1 + Math.sin((timeMs / 86_400_000) * 2 * Math.PI)
      const rows = things.map((one, at) => step(one, at % 3 === 0 ? 0.2 : busy, random))
      return { ...base, intervalMs: count === 1 ? undefined : intervalMs, rows, ...change }
    },
  }
}

interface Thing extends SampleRow {
  readonly walk: Record<string, number>
}

function thing(subject: KeptSubject, labels: Readonly<Record<string, string>>): Thing {
  return { subject, labels, columns: {}, walk: {} }
}

function containerLabels(at: number) {
  const id = (0xdeb1a5e00000 + at * 7919).toString(16)
  return { id, cgroup: `/system.slice/docker-${id}.scope`, name: `worker-${at}` }
}

/** Gauges of bytes wander slowly, rates jump, what counts is mostly 0, limits stay. */
function step({ subject, labels, walk }: Thing, busy: number, random: () => number): SampleRow {
  const columns: Record<string, number> = {}
  for (const { name, scale, counts } of columnsOf(subject)) {
    const base = baseOf(name)
    const before = (walk[name] ??= base * (0.5 + random()))
    const number = counts ? Number(random() < 0.002) : valueOf(name, { before, base, busy }, random)
    if (!counts && name.endsWith('_bytes')) walk[name] = number
    columns[name] = Math.round(number * scale) / scale
  }
  return { subject, labels, columns }
}

function valueOf(
  name: string,
  { before, base, busy }: Record<'before' | 'base' | 'busy', number>,
  random: () => number,
): number {
  if (/total|limit|size|^inodes$|count$|readonly/.test(name)) return base
  if (name.endsWith('_bytes')) return Math.min(Math.max(before + (random() - 0.5) * 65_536 * busy, 0), base * 2)
  if (/percent$|per_second$|_ms$/.test(name)) return random() < 0.3 ? 0 : base * busy * random()
  return base * (0.95 + random() / 10)
}

function baseOf(name: string): number {
  if (/left_out|readonly|swap|zombie|stopped|traced|steal|nice|failures|throttled/.test(name)) return 0
  if (/memory_(total|available|free)|^size_bytes|used_bytes|available_bytes/.test(name)) return 2.4e10
  if (name.endsWith('_bytes')) return 9e7
  if (name.endsWith('_bytes_per_second')) return 4e5
  if (/(context_switches|interrupts|packets|segments)_per_second$/.test(name)) return 900
  if (name.endsWith('_percent')) return 12
  if (/^inodes|descriptors_limit|conntrack_limit/.test(name)) return 2.6e5
  return /^(threads|processes|file_descriptors)/.test(name) ? 120 : 3
}

function times<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at))
}

/** Between 0 and 1, always the same (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
