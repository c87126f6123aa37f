/** Walks the frames of a zstd stream (RFC 8878, section 3.1) without decompressing them: where each begins and ends. */
import type { StreamEnd } from './decode.ts'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50

/** What the next bytes are. */
type Step =
  | { readonly kind: 'magic' | 'skippable-size' | 'descriptor' | 'block-header'; readonly bytes: number }
  /** Bytes that mean nothing to the walk, and where it goes on after them. */
  | { readonly kind: 'pass'; readonly bytes: number; readonly next: Step; readonly hide?: boolean }

const MAGIC: Step = { kind: 'magic', bytes: 4 }
const BLOCK: Step = { kind: 'block-header', bytes: 3 }

/** Yields the bytes of the frames, never two frames in one piece; skippable frames are left out. */
export async function* zstdFrames(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer, StreamEnd, void> {
  let step: Step = MAGIC
  let held = Buffer.alloc(0)
  let checksum = false
  let position = 0
  for await (const chunk of input) {
    let rest = chunk
    while (rest.length > 0) {
      const wanted: number = step.kind === 'pass' ? step.bytes : step.bytes - held.length
      const piece = rest.subarray(0, wanted)
      rest = rest.subarray(piece.length)
      position += piece.length
      if (step.kind === 'pass') {
        if (!step.hide) yield piece
        const left: number = step.bytes - piece.length
        step = left > 0 ? { ...step, bytes: left } : step.next
        continue
      }
      held = Buffer.concat([held, piece])
      if (held.length < step.bytes) continue
      const field = held
      held = Buffer.alloc(0)
      if (step.kind === 'descriptor') checksum = (field[0]! & 4) !== 0
      const next = follow(step.kind, field, checksum)
      if (next === undefined) return { damaged: `what stands at byte ${position - 4} is no zstd frame` }
      if (!hidden(step.kind, field)) yield field
      step = next
    }
  }
  return step === MAGIC && held.length === 0 ? {} : { cut: 'the zstd stream stops before its end' }
}

function follow(kind: Exclude<Step['kind'], 'pass'>, field: Buffer, checksum: boolean): Step | undefined {
  if (kind === 'magic') return afterMagic(field.readUInt32LE(0))
  if (kind === 'skippable-size') return pass(field.readUInt32LE(0), MAGIC, true)
  if (kind === 'descriptor') return pass(frameHeaderBytes(field[0]!), BLOCK)
  const header = field.readUIntLE(0, 3)
  const [last, type, size] = [(header & 1) === 1, (header >> 1) & 3, header >> 3]
  if (type === 3) return undefined
  // An RLE block holds one byte, whatever it grows to.
  const content = type === 1 ? 1 : size
  const after = last ? pass(checksum ? 4 : 0, MAGIC) : BLOCK
  return pass(content, after)
}

function afterMagic(magic: number): Step | undefined {
  if (magic === FRAME_MAGIC) return { kind: 'descriptor', bytes: 1 }
  return (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC ? { kind: 'skippable-size', bytes: 4 } : undefined
}

/** Window descriptor, dictionary id and content size, whose lengths the frame header descriptor tells. */
function frameHeaderBytes(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionary = [0, 1, 2, 4][descriptor & 3]!
  const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  return (singleSegment ? 0 : 1) + dictionary + contentSize
}

function pass(bytes: number, next: Step, hide = false): Step {
  return bytes === 0 ? next : { kind: 'pass', bytes, next, hide }
}

function hidden(kind: Step['kind'], field: Buffer): boolean {
  return kind === 'skippable-size' || (kind === 'magic' && field.readUInt32LE(0) !== FRAME_MAGIC)
}
