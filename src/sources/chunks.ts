/** Reading streams of chunks by the line and by the byte. All but `take` end the stream they were given. */
import { LONG_LINE_BYTES, afterLastLine, endsLine, wholeLines } from './seam.ts'
import type { SourceEnd } from './source.ts'

export type Chunks = AsyncGenerator<Buffer, SourceEnd, void>

/** The same bytes, in chunks that end with a line unless it is longer than that. */
export async function* inLines(chunks: Chunks): Chunks {
  let open: Buffer = NOTHING
  try {
    let step = await chunks.next()
    for (; !step.done; step = await chunks.next()) {
      const bytes = open.length === 0 ? step.value : Buffer.concat([open, step.value])
      const lines = endsLine(wholeLines(bytes)) || bytes.length > LONG_LINE_BYTES ? wholeLines(bytes) : NOTHING
      open = Buffer.from(bytes.subarray(lines.length))
      if (lines.length > 0) yield lines
    }
    if (open.length > 0) yield open
    return step.value
  } finally {
    await close(chunks)
  }
}

const NOTHING = Buffer.alloc(0)

/** What `start` and `chunks` hold after the line that `before` ends with. */
export async function* after(before: Buffer, start: Taken, chunks: Chunks): Chunks {
  try {
    let found = afterLastLine(before, start.bytes)
    if (found !== undefined) yield found
    if (start.end !== undefined) return start.end
    let step = await chunks.next()
    for (; !step.done; step = await chunks.next()) {
      const fresh: Buffer | undefined = found === undefined ? afterLastLine(before, step.value) : step.value
      if (fresh !== undefined) yield fresh
      found ??= fresh
    }
    return step.value
  } finally {
    await close(chunks)
  }
}

/** How many bytes there are, not reading on once there are more than `most`. */
export async function countBytes(chunks: Chunks, most: number, each?: (chunk: Buffer) => void): Promise<number> {
  let bytes = 0
  try {
    while (bytes <= most) {
      const step = await chunks.next()
      if (step.done) break
      bytes += step.value.length
      each?.(step.value)
    }
  } finally {
    await close(chunks)
  }
  return bytes
}

export interface Taken {
  readonly bytes: Buffer
  /** Set when the source ended by itself. */
  readonly end: SourceEnd | undefined
}

/** Pulls until there are more than `bytes` bytes or no more come. */
export async function take(chunks: Chunks, bytes: number): Promise<Taken> {
  const parts: Buffer[] = []
  for (let taken = 0; taken <= bytes;) {
    const step = await chunks.next()
    if (step.done) return { bytes: Buffer.concat(parts), end: step.value }
    parts.push(Buffer.from(step.value))
    taken += step.value.length
  }
  return { bytes: Buffer.concat(parts), end: undefined }
}

export async function close(chunks: Chunks): Promise<void> {
  await chunks.return({ outcome: 'ok' })
}
