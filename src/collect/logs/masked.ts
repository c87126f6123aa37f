/** The lines of one source on their way through the mask, each batch with what stands before it in the log, and behind it where that tells what it is. */
import { asContext, CONTEXT_LINES, type LogBatches, type LogSpan, type RawLine } from '../../sources/logs/line.ts'
import type { LogMask } from './mask.ts'
import { firstOf, linesBeforeTorn, orLate } from './torn.ts'

export type CurrentMask = () => Promise<Pick<LogMask, 'lines'>>

/** What stands behind a line in the log, outside of what is read. */
export type LinesBehind = (line: RawLine) => Promise<readonly RawLine[]>

const NOTHING_BEHIND: LinesBehind = async () => []

/** Batches in the order of reading, none empty. A batch of mere context is handed on as it is, without its words. */
export async function* maskedLines(
  batches: LogBatches,
  direction: LogSpan['direction'],
  mask: CurrentMask,
  behind = NOTHING_BEHIND,
): AsyncGenerator<readonly RawLine[], string | void, void> {
  try {
    return yield* direction === 'forward' ? forward(batches, mask, behind) : backward(batches, mask, behind)
  } finally {
    await batches.return(undefined)
  }
}

/** Lines that may be of a torn key wait for those behind them, a second at most. */
async function* forward(batches: LogBatches, mask: CurrentMask, behind: LinesBehind): LogBatches {
  let before: readonly RawLine[] = []
  let held: readonly RawLine[] = []
  let heldSince: number | undefined
  let next: ReturnType<LogBatches['next']> | undefined
  for (;;) {
    next ??= quietly(batches.next())
    const step = await orLate(next, heldSince)
    if (step !== 'late') next = undefined
    const isOver = step === 'late' || step.done === true
    const batch = isOver ? held : [...held, ...step.value]
    const count = isOver ? batch.length : linesBeforeTorn(batch, before)
    const ready = batch.slice(0, count)
    held = batch.slice(count)
    heldSince = held.length > 0 ? (heldSince ?? performance.now()) : undefined
    if (ready.length > 0) {
      const after = isOver && step !== 'late' ? firstOf(await behind(ready.at(-1)!)) : []
      const lines = await (await mask()).lines([...ready, ...after], before)
      const context = ready.filter((line) => line.context).map(wordless)
      if (context.length + lines.length > 0) yield [...context, ...lines]
      before = lastOf([...before, ...ready])
    }
    if (step !== 'late' && step.done) return step.value
  }
}

/** It may fail while what was held is masked: whoever awaits it next hears of it. */
function quietly<T>(next: Promise<T>): Promise<T> {
  next.catch(() => {})
  return next
}

/** Held back until the batch before it in the log is there. */
async function* backward(batches: LogBatches, mask: CurrentMask, behind: LinesBehind): LogBatches {
  let held: readonly RawLine[] = []
  /** What was handed over last: it stands behind what is held. */
  let newer: readonly RawLine[] | undefined
  const masked = async (before: readonly RawLine[]) => {
    const mayGoOn = held.length > 0 && linesBeforeTorn(held, []) < held.length
    const after = mayGoOn ? firstOf(newer ?? (await behind(held.at(-1)!))) : []
    if (held.length > 0) newer = held
    return (await mask()).lines([...held, ...after], before)
  }
  let step = await batches.next()
  for (; !step.done; step = await batches.next()) {
    const lines = await masked(lastOf(step.value))
    if (lines.length > 0) yield lines.toReversed()
    held = step.value
  }
  const lines = await masked([])
  if (lines.length > 0) yield lines.toReversed()
  return step.value
}

function wordless(line: RawLine): RawLine {
  return { ...line, message: '' }
}

/** As far back as a key may begin, in lines and bytes. */
function lastOf(lines: readonly RawLine[]): RawLine[] {
  const last = lines.slice(-CONTEXT_LINES)
  let bytes = 0
  const from = last.findLastIndex(({ message }) => (bytes += message.length) > CONTEXT_BYTES)
  return last.slice(from + 1).map(asContext)
}

const CONTEXT_BYTES = 64 * 1024
