/**
 * The beginning and the newest lines of a log that can only be asked for from its start, or for its last N lines.
 *
 * How long it is shows only when it has been read, so a log beyond `holdBytes` is read twice: once to count, once to
 * hand it over. Nothing is kept in memory but the first `holdBytes`.
 */
import { SourceError, type SourceEnd, type SourceLimits } from './source.ts'

/** Whole lines, as buffers that stay valid. */
export type Lines = AsyncGenerator<Buffer, SourceEnd, void>
/** Asks anew: for everything, or for the last lines only (of which it may leave out those outside the window). */
export type Again = (lastLines?: number) => Promise<Lines>

/** Read ahead of the decision what to keep; most logs are shorter and are read once. */
const holdBytes = 1024 * 1024
/** A log whose window lies in the past may have that many newer lines to pass over; then we give up. */
const maxLastLines = 100_000_000

/** All of `first` when it has at most `entryBytes`; else its first `headBytes`, a marker line, and the newest lines. */
export async function* headAndNewest(
  first: Lines,
  again: Again,
  { entryBytes, headBytes }: Pick<SourceLimits, 'entryBytes' | 'headBytes'>,
): Lines {
  if (entryBytes === Infinity) return yield* first
  const start = await readStart(first, entryBytes)
  if (start.end) {
    yield* start.held
    if (start.bytes === start.heldBytes) return start.end
    return yield* cut(await again(), start.heldBytes, entryBytes - start.heldBytes)
  }
  const head = upToLine(Buffer.concat(start.held), Math.min(headBytes, entryBytes / 2))
  const over = `over the limit of ${entryBytes} bytes per entry`
  const marker = Buffer.from(`… diagd: lines left out here (${over}) …\n`)
  yield Buffer.concat([head, marker])
  const detail = `lines left out between the first ${head.length} and the newest bytes (${over})`
  try {
    const end = yield* newest(again, entryBytes - head.length - marker.length, start.bytes / start.lines)
    return { outcome: 'partial', detail: end.outcome === 'ok' ? detail : `${detail}; ${end.detail}` }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    return { outcome: 'partial', detail: `${detail}; ${error.message}` }
  }
}

/** Reads to the end, or until there are more than `entryBytes`; holds the beginning. */
async function readStart(log: Lines, entryBytes: number) {
  const start = { held: [] as Buffer[], heldBytes: 0, bytes: 0, lines: 0, end: undefined as SourceEnd | undefined }
  try {
    while (start.bytes <= entryBytes) {
      const step = await log.next()
      if (step.done) return { ...start, end: step.value }
      if (start.bytes < holdBytes) {
        start.held.push(step.value)
        start.heldBytes += step.value.length
      }
      start.bytes += step.value.length
      start.lines += countLines(step.value)
    }
    return start
  } finally {
    await log.return({ outcome: 'ok' })
  }
}

/** The newest lines that fit into `budget` bytes: first finds out how many to ask for, then hands them over. */
async function* newest(again: Again, budget: number, lineBytes: number): Lines {
  let lastLines = Math.max(1, Math.ceil(budget / lineBytes))
  let bytes = await countBytes(await again(lastLines))
  while (bytes < budget && lastLines < maxLastLines) {
    lastLines *= 4
    bytes = await countBytes(await again(lastLines))
  }
  return yield* cut(await again(lastLines), Math.max(0, bytes - budget), budget)
}

async function countBytes(log: Lines): Promise<number> {
  let bytes = 0
  for await (const chunk of log) bytes += chunk.length
  return bytes
}

/** Leaves out the first `skipBytes` and what remains of the line they end in; then at most `maxBytes`. */
async function* cut(log: Lines, skipBytes: number, maxBytes: number): Lines {
  let skip = skipBytes
  let left = maxBytes
  // The byte before the first kept one has to end a line.
  let aligned = skipBytes === 0
  try {
    for (;;) {
      const step = await log.next()
      if (step.done) return step.value
      let chunk = step.value
      if (!aligned) {
        const border = chunk.indexOf(newline, Math.max(0, skip - 1))
        skip -= chunk.length
        if (border === -1) continue
        aligned = true
        chunk = chunk.subarray(border + 1)
      }
      const kept = upToLine(chunk, left)
      left -= kept.length
      if (kept.length > 0) yield kept
      if (kept.length < chunk.length) return { outcome: 'partial', detail: 'it grew while it was read' }
    }
  } finally {
    await log.return({ outcome: 'ok' })
  }
}

const newline = 0x0a

function upToLine(data: Buffer, maxBytes: number): Buffer {
  if (data.length <= maxBytes) return data
  return maxBytes <= 0 ? data.subarray(0, 0) : data.subarray(0, data.lastIndexOf(newline, maxBytes - 1) + 1)
}

function countLines(data: Buffer): number {
  let lines = 0
  for (let at = data.indexOf(newline); at !== -1; at = data.indexOf(newline, at + 1)) lines += 1
  return lines
}
