/** The systemd journal as a source: what journalctl prints of the wanted spans, in UTC, bounded at both ends. */
import type { Interval, JournalQuery } from '../collector.ts'
import type { CommandContext } from './command.ts'
import { openCommand } from './command.ts'
import { bothEnds } from './ends.ts'
import type { Chunks } from './chunks.ts'
import { headAndTail } from './head-and-tail.ts'
import { journalAccess } from './journal-access.ts'
import type { Opened, SourceEnd } from './source.ts'
import { SourceError } from './source.ts'

export type JournalSpec = JournalQuery

/** Throws SourceError `skipped` when there is no journal or no right to read it. */
export async function openJournal(spec: JournalSpec, ctx: CommandContext): Promise<Opened> {
  const access = await journalAccess(ctx.root)
  if (access.refused !== undefined) throw new SourceError('skipped', access.refused)
  const argv = arguments_(spec, ctx.root)
  const opened = await openCommand({ argv }, ctx)
  const chunks =
    spec.lastLines === undefined
      ? spans(argv, await ctx.intervals(), ctx)
      : journalctl([...argv, `--lines=${spec.lastLines}`], ctx)
  return { origin: opened.origin, chunks: access.lacking === undefined ? chunks : noting(access.lacking, chunks) }
}

function arguments_(spec: JournalSpec, root: string): string[] {
  return [
    'journalctl',
    '--no-pager',
    '--quiet',
    '--utc',
    '--output=short-iso-precise',
    ...(root === '' ? [] : [`--root=${root}`]),
    ...(spec.boot === undefined ? [] : [`--boot=${spec.boot}`]),
    ...(spec.unit === undefined ? [] : [`--unit=${spec.unit}`]),
    ...(spec.args ?? []),
  ]
}

/** Room for the line between two spans. */
const GAP_BYTES = 128

/** Each span in turn, oldest first, as they come sorted and apart; what a span leaves of its share of the bytes goes to the later ones. */
async function* spans(argv: readonly string[], wanted: readonly Interval[], ctx: CommandContext): Chunks {
  let end: SourceEnd = { outcome: 'ok' }
  let bytesLeft = ctx.limits.entryBytes
  let before: Interval | undefined
  for (const [index, span] of wanted.entries()) {
    const entryBytes = Math.floor(bytesLeft / (wanted.length - index)) - (index === 0 ? 0 : GAP_BYTES)
    const chunks = oneSpan(argv, span, entryBytes, ctx)
    try {
      let step = await chunks.next()
      if (!step.done && before !== undefined) yield gap(before, span)
      for (; !step.done; step = await chunks.next()) {
        before = span
        bytesLeft -= step.value.length
        yield step.value
      }
      end = bothEnds(end, step.value)
    } finally {
      await chunks.return(end)
    }
  }
  return end
}

function oneSpan(argv: readonly string[], span: Interval, entryBytes: number, ctx: CommandContext): Chunks {
  const until = `--until=@${(span.untilMs / 1000).toFixed(3)}`
  const since = `--since=@${(span.sinceMs / 1000).toFixed(3)}`
  return headAndTail({
    head: () => journalctl([...argv, since, until], ctx),
    // With --since, some versions of journalctl count --lines from the start: so older entries are dropped here.
    tail: (lines) => notBefore(span.sinceMs, journalctl([...argv, until, `--lines=${lines}`], ctx)),
    entryBytes,
    headBytes: ctx.limits.headBytes,
  })
}

function gap(before: Interval, after: Interval): Buffer {
  const [from, to] = [before.untilMs, after.sinceMs].map((ms) => new Date(ms).toISOString())
  return Buffer.from(`… diagd: entries between ${from} and ${to} are outside the window …\n`)
}

/** One run; the byte limit is kept by the reader, who knows which end to keep. */
async function* journalctl(argv: readonly string[], ctx: CommandContext): Chunks {
  const unlimited = argv.some((word) => word.startsWith('--lines=')) ? ctx.limits.entryBytes : Infinity
  const okCodes = argv.some((word) => word.startsWith('--grep')) ? [1] : []
  const opened = await openCommand({ argv, okCodes }, { ...ctx, limits: { ...ctx.limits, entryBytes: unlimited } })
  return explained(yield* opened.chunks)
}

/** journalctl survives what it cannot read, ends with 0, and says so only on stderr. */
function explained(end: SourceEnd): SourceEnd {
  const stderr = end.stderr ?? ''
  const said = stderr.split('\n')[0]?.trim() ?? ''
  if (/no such boot id|no persistent journal was found/i.test(stderr)) {
    return { ...end, outcome: 'skipped', detail: `no such boot in the journal: ${said}` }
  }
  const damaged = /corrupt|truncated|bad message|ignoring file|failed to iterate/i.test(stderr)
  if (damaged && end.outcome === 'ok') return { ...end, outcome: 'partial', detail: `damaged journal file: ${said}` }
  return end
}

/** Without a single entry that this user may read, nothing was collected rather than a part of it. */
async function* noting(lacking: string, chunks: Chunks): Chunks {
  let bytes = 0
  let step = await chunks.next()
  try {
    for (; !step.done; step = await chunks.next()) {
      bytes += step.value.length
      yield step.value
    }
    if (bytes === 0 && step.value.outcome === 'ok') return { outcome: 'skipped', detail: lacking }
    return bothEnds({ outcome: 'partial', detail: lacking }, step.value)
  } finally {
    await chunks.return({ outcome: 'ok' })
  }
}

/** Passes everything from the first entry on that is not older; entries begin with their time in UTC. */
async function* notBefore(sinceMs: number, chunks: Chunks): Chunks {
  const since = new Date(sinceMs).toISOString().slice(0, -1)
  let line: Buffer = Buffer.alloc(0)
  let step = await chunks.next()
  try {
    for (; !step.done; step = await chunks.next()) {
      const bytes = Buffer.concat([line, step.value])
      const start = firstNotBefore(since, bytes)
      if (start !== -1) {
        yield bytes.subarray(start)
        return yield* chunks
      }
      // Of a line that goes on only its time matters, however long it is.
      line = Buffer.from(bytes.subarray(bytes.lastIndexOf('\n') + 1).subarray(0, TIME_BYTES))
    }
    return step.value
  } finally {
    await chunks.return({ outcome: 'ok' })
  }
}

/** `2026-01-02T03:04:05.678901`; compares as text. */
const TIME_BYTES = 26

function firstNotBefore(since: string, bytes: Buffer): number {
  for (let at = 0; at + TIME_BYTES <= bytes.length;) {
    const time = bytes.toString('latin1', at, at + TIME_BYTES)
    if (/^\d{4}-\d\d-\d\dT/.test(time) && time >= since) return at
    const lineEnd = bytes.indexOf('\n', at)
    if (lineEnd === -1) return -1
    at = lineEnd + 1
  }
  return -1
}
