/** The bytes of an open file. */
import { overLimit, totalLength, type Piece } from './pieces.ts'
import { errorCode } from './refusal.ts'
import type { RegularFile } from './regular.ts'
import { SourceError, type Opened, type SourceEnd } from './source.ts'

export interface Delivery {
  readonly pieces: readonly Piece[]
  readonly cutBytes: number
  /** Why bytes are left out. */
  readonly detail?: string
  /** A log that grows while it is read is no defect. */
  readonly growthIsNormal: boolean
}

/** One buffer for a whole file, reused: memory does not depend on what is read. As large as a segment: one read each. */
const bufferBytes = 1024 * 1024
/** /proc answers in pages. */
const viewBufferBytes = 64 * 1024

/** Exactly the announced bytes: what the file turns out to lack is made up for, so that the archive stays readable. */
export function deliver(file: RegularFile, delivery: Delivery): { sizeBytes: number; chunks: Opened['chunks'] } {
  const sizeBytes = totalLength(delivery.pieces)
  return { sizeBytes, chunks: exactly(file, delivery, sizeBytes) }
}

/** A file of unknown length to its end, or to the limit. */
export async function* deliverView(file: RegularFile, entryBytes: number): Opened['chunks'] {
  const buffer = Buffer.allocUnsafe(viewBufferBytes)
  const note = Buffer.from(`\n… diagd: the rest is left out here (${overLimit(entryBytes)}) …\n`)
  let room = entryBytes - note.length
  for (let done = 0; ;) {
    const count = await readView(file, buffer, done)
    if (typeof count !== 'number') return count
    if (count === 0) return { outcome: 'ok' }
    if (count > room) {
      const line = room > 0 ? buffer.lastIndexOf(10, room - 1) + 1 : 0
      yield buffer.subarray(0, line || Math.max(0, room))
      yield note
      return { outcome: 'partial', detail: `${overLimit(entryBytes)}: only its beginning was read` }
    }
    room -= count
    done += count
    yield buffer.subarray(0, count)
  }
}

async function* exactly(file: RegularFile, delivery: Delivery, sizeBytes: number): Opened['chunks'] {
  const buffer = Buffer.allocUnsafe(Math.min(bufferBytes, Math.max(sizeBytes, 1)))
  let missing = sizeBytes
  for (const piece of delivery.pieces) {
    if ('note' in piece) {
      yield piece.note
      missing -= piece.note.length
      continue
    }
    for (let at = piece.from; at < piece.to;) {
      const count = await readOrEnd(file, buffer, piece.to - at, at)
      if (typeof count !== 'number') {
        yield* padding(missing, count.detail ?? '')
        return count
      }
      at += count
      missing -= count
      yield buffer.subarray(0, count)
    }
  }
  return end(file, delivery)
}

async function end(file: RegularFile, { cutBytes, detail, growthIsNormal }: Delivery): Promise<SourceEnd> {
  const said = detail ? [detail] : []
  const sizeNow = growthIsNormal ? file.sizeBytes : await file.sizeNow()
  if (sizeNow > file.sizeBytes) said.push('grew while it was read: cut at its size when opened')
  if (said.length === 0) return { outcome: 'ok' }
  return { outcome: 'partial', detail: said.join('; '), cutBytes: cutBytes + Math.max(0, sizeNow - file.sizeBytes) }
}

/** The bytes read, or how the file ended before its time. */
async function readOrEnd(file: RegularFile, buffer: Buffer, length: number, at: number): Promise<number | SourceEnd> {
  try {
    const count = await file.read(buffer, length, at)
    if (count > 0) return count
    const sizes = `shrank from ${file.sizeBytes} to ${at} bytes while it was read`
    return { outcome: 'partial', detail: `${sizes}; padded` }
  } catch (error) {
    if (error instanceof SourceError) return { outcome: error.outcome, detail: `${error.message}; padded` }
    const code = errorCode(error)
    if (!code || file.aborted) throw error
    return { outcome: 'partial', detail: `could not be read at byte ${at}: ${code}; padded` }
  }
}

async function readView(file: RegularFile, buffer: Buffer, done: number): Promise<number | SourceEnd> {
  try {
    return await file.read(buffer, buffer.length, null)
  } catch (error) {
    const code = errorCode(error)
    if (done === 0 || !code || file.aborted) throw error
    return { outcome: 'partial', detail: `broke off after ${done} bytes: ${code}` }
  }
}

/** A line that says so, then empty lines. */
function* padding(length: number, why: string): Generator<Buffer> {
  const note = Buffer.from(`\n… diagd: ${why} …\n`)
  let missing = length
  if (note.length <= missing) {
    missing -= note.length
    yield note
  }
  const empty = Buffer.alloc(Math.min(bufferBytes, missing), '\n')
  for (; missing > 0; missing -= empty.length) yield empty.subarray(0, missing)
}
