/** What `diagd collect` shows on a terminal while it runs. Into a pipe: nothing. */
import type { ProgressEvent } from '../collect/types.ts'
import { fit, formatBytes, formatDuration, forTerminal } from '../terminal.ts'
import type { Io } from './io.ts'

/** Ten pictures a second are smooth, and cost nothing. */
const INTERVAL_MS = 100
/** The rate is that of the last seconds: one number that neither jumps nor remembers the start. */
const RATE_WINDOW_MS = 3000

export interface Progress {
  readonly onProgress: (event: ProgressEvent) => void
  readonly stop: () => void
}

export async function createProgress(
  io: Pick<Io, 'stderr' | 'environment'>,
  name: string | undefined,
): Promise<Progress> {
  const { stderr } = io
  if (!stderr.isTTY || io.environment.TERM === 'dumb') return { onProgress: () => {}, stop: () => {} }
  const { createLogUpdate } = await import('log-update')
  const draw = createLogUpdate(stderr)
  const board = createBoard(name ?? 'stdout')
  const size = () => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 })
  const timer = setInterval(() => draw(board.draw(size(), performance.now())), INTERVAL_MS)
  const stop = () => {
    clearInterval(timer)
    draw.clear()
    draw.done()
  }
  return { onProgress: board.onProgress, stop }
}

interface Row {
  /** Of describing; the entries described may take longer. */
  state: 'waiting' | 'running' | 'done' | 'skipped'
  /** Entries under way, the oldest first. */
  working: string[]
  bytes: number
  notOk: number
  detail: string
  startedMs: number
  endedMs: number
}

const fresh = (): Row => ({ state: 'waiting', working: [], bytes: 0, notOk: 0, detail: '', startedMs: 0, endedMs: 0 })

function stateOf({ state, working }: Row): Row['state'] {
  return working.length > 0 ? 'running' : state
}

/** What is drawn, apart from drawing it. */
export function createBoard(name: string, startedMs = performance.now(), now = () => performance.now()) {
  const rows = new Map<string, Row>()
  const rate = createRate()
  let bytes = 0
  const row = (id: string): Row => {
    const known = rows.get(id) ?? fresh()
    rows.set(id, known)
    return known
  }
  const onProgress = (event: ProgressEvent): void => {
    if (event.type === 'plan') for (const { id } of event.collectors) row(id)
    else if (event.type === 'bytes') {
      bytes += event.bytes
      row(event.collector).bytes += event.bytes
    } else if (event.type === 'entry') {
      const { outcome, collector } = event.row
      if (outcome !== 'ok' && outcome !== 'skipped') row(collector).notOk += 1
    } else if (event.type === 'work') {
      const known = row(event.collector)
      if (event.state === 'running') known.working.push(event.path)
      else known.working.splice(known.working.indexOf(event.path), 1)
      known.endedMs = now()
    } else {
      const { id, state, detail = '' } = event
      Object.assign(row(id), { state, detail }, state === 'running' ? { startedMs: now() } : { endedMs: now() })
    }
  }
  const draw = ({ columns, rows: height }: { columns: number; rows: number }, nowMs: number): string => {
    const ended = [...rows.values()].map(stateOf).filter((state) => state === 'done' || state === 'skipped').length
    const speed = `${formatBytes(bytes)} read, ${formatBytes(rate(bytes, nowMs))}/s`
    const elapsed = formatDuration(nowMs - startedMs)
    const last = `${ended} of ${rows.size} collectors, ${speed}, ${elapsed}`
    // One line for the head, one for the foot, one for the cursor.
    const lines = body(rows, Math.max(height - 3, 0), nowMs)
    return [`Collecting into ${name}`, ...lines, last].map((line) => fit(forTerminal(line), columns - 1)).join('\n')
  }
  return { onProgress, draw }
}

/** In the order of the plan; where they do not all fit, those that run come first. */
function body(rows: ReadonlyMap<string, Row>, height: number, nowMs: number): string[] {
  const width = Math.max(...[...rows.keys()].map((id) => id.length), 0)
  const all = [...rows].map(([id, row]) => ({ row, line: `  ${id.padEnd(width)}  ${describe(row, nowMs)}` }))
  if (all.length <= height) return all.map(({ line }) => line)
  const order = ['running', 'waiting', 'done', 'skipped']
  const urgent = all
    .toSorted((a, b) => order.indexOf(stateOf(a.row)) - order.indexOf(stateOf(b.row)))
    .slice(0, Math.max(height - 1, 0))
  return [...urgent.map(({ line }) => line), `  and ${all.length - urgent.length} more`]
}

function describe(row: Row, nowMs: number): string {
  const state = stateOf(row)
  if (state === 'waiting') return state
  if (state === 'skipped') return `skipped   ${row.detail}`
  const amount = formatBytes(row.bytes).padStart(11)
  const time = formatDuration((state === 'running' ? nowMs : row.endedMs) - row.startedMs).padStart(9)
  const trouble = row.notOk > 0 ? `   ${row.notOk} not ok` : ''
  const oldest = row.working.length > 0 ? `   ${row.working[0]}` : ''
  return `${state.padEnd(8)}${amount} ${time}${trouble}${oldest}`
}

/** Bytes per second over the last few seconds. */
function createRate(): (bytes: number, nowMs: number) => number {
  const samples: { bytes: number; atMs: number }[] = []
  return (bytes, nowMs) => {
    samples.push({ bytes, atMs: nowMs })
    while (nowMs - samples[0]!.atMs > RATE_WINDOW_MS) samples.shift()
    const { bytes: before, atMs } = samples[0]!
    return nowMs > atMs ? ((bytes - before) * 1000) / (nowMs - atMs) : 0
  }
}
