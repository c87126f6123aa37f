/** The lines of one source on their way through the mask, each batch with what stands before it in the log. */
import { asContext, CONTEXT_LINES, type LogBatches, type LogSpan, type RawLine } from '../../sources/logs/line.ts'
import type { LogMask } from './mask.ts'

export type CurrentMask = () => Promise<Pick<LogMask, 'lines'>>

/** Batches in the order of reading, none empty. A batch of mere context is handed on as it is, without its words. */
export async function* maskedLines(
  batches: LogBatches,
  direction: LogSpan['direction'],
  mask: CurrentMask,
): AsyncGenerator<readonly RawLine[], string | void, void> {
  try {
    return yield* direction === 'forward' ? forward(batches, mask) : backward(batches, mask)
  } finally {
    await batches.return(undefined)
  }
}

async function* forward(batches: LogBatches, mask: CurrentMask): LogBatches {
  let before: readonly RawLine[] = []
  let step = await batches.next()
  for (; !step.done; step = await batches.next()) {
    const lines = await (await mask()).lines(step.value, before)
    const context = step.value.filter((line) => line.context).map(wordless)
    if (context.length + lines.length > 0) yield [...context, ...lines]
    before = lastOf([...before, ...step.value])
  }
  return step.value
}

/** Held back until the batch before it in the log is there. */
async function* backward(batches: LogBatches, mask: CurrentMask): LogBatches {
  let held: readonly RawLine[] = []
  let step = await batches.next()
  for (; !step.done; step = await batches.next()) {
    const lines = await (await mask()).lines(held, lastOf(step.value))
    if (lines.length > 0) yield lines.toReversed()
    held = step.value
  }
  const lines = await (await mask()).lines(held, [])
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
