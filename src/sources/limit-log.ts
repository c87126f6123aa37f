/** A file over its limit keeps its beginning and its newest bytes; what lies between is not read. */
import { fileBytes, holeNote, lengthOf, overLimit, totalLength, type Piece } from './pieces.ts'

/** Reads a part of the file; shorter at its end. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>

export interface Limited {
  readonly pieces: readonly Piece[]
  readonly cutBytes: number
}

interface Keep {
  /** Most bytes in all. */
  readonly totalBytes: number
  /** Most bytes of the beginning. */
  readonly headBytes: number
  /** Said in the hole. */
  readonly why: string
}

/** A line longer than this is cut inside rather than looked for its end. */
const longestLine = 1024 * 1024
/** Room for the line in the hole, whatever the numbers in it. */
const noteBytes = 160

/** The pieces within `entryBytes`, cut at lines. */
export function limitLog(pieces: readonly Piece[], entryBytes: number, headBytes: number, readAt: ReadAt) {
  if (totalLength(pieces) <= entryBytes) return Promise.resolve({ pieces, cutBytes: 0 })
  return keepEnds(pieces, { totalBytes: entryBytes, headBytes, why: overLimit(entryBytes) }, readAt)
}

/** The beginning and the end of the pieces, cut at lines, and a line in the hole that says how much is missing. */
export async function keepEnds(pieces: readonly Piece[], keep: Keep, readAt: ReadAt): Promise<Limited> {
  const total = totalLength(pieces)
  const room = Math.max(0, keep.totalBytes - noteBytes)
  const headBytes = Math.min(keep.headBytes, Math.floor(room / 2))
  const head = await cut(pieces, headBytes, readAt, lineEndBefore)
  const tail = await cut(pieces, total - (room - headBytes), readAt, lineStartAfter)
  const cutBytes = fileBytes(pieces) - fileBytes(head.before) - fileBytes(tail.after)
  return { pieces: [...head.before, holeNote(cutBytes, keep.why), ...tail.after], cutBytes }
}

type Align = (readAt: ReadAt, position: number, from: number, to: number) => Promise<number>

/** Splits the pieces at an offset into their sum, moved to a border of lines; a note is never split. */
async function cut(pieces: readonly Piece[], offset: number, readAt: ReadAt, align: Align) {
  let start = 0
  for (const [index, piece] of pieces.entries()) {
    const end = start + lengthOf(piece)
    if (offset < end) {
      const [before, after] = [pieces.slice(0, index), pieces.slice(index + 1)]
      if ('note' in piece) return { before, after }
      const at = await align(readAt, piece.from + offset - start, piece.from, piece.to)
      return { before: [...before, { from: piece.from, to: at }], after: [{ from: at, to: piece.to }, ...after] }
    }
    start = end
  }
  return { before: pieces, after: [] }
}

/** Behind the last line that ends before `position`. */
async function lineEndBefore(readAt: ReadAt, position: number, from: number): Promise<number> {
  const start = Math.max(from, position - longestLine)
  const block = await readAt(start, position - start)
  const newline = block.lastIndexOf(10)
  return newline === -1 ? position : start + newline + 1
}

/** The first beginning of a line at or after `position`. */
async function lineStartAfter(readAt: ReadAt, position: number, from: number, to: number): Promise<number> {
  if (position <= from) return from
  const step = 64 * 1024
  for (let at = position - 1; at < Math.min(to, position + longestLine); at += step) {
    const block = await readAt(at, Math.min(step, to - at))
    const newline = block.indexOf(10)
    if (newline !== -1) return at + newline + 1
    if (block.length === 0) break
  }
  return position
}
