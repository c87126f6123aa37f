/**
 * A stream through the mask: chunks of any size in, masked bytes out. The stream is cut into stretches at fixed offsets of its
 * own, each handed over with what stands before and behind it, so the result does not depend on how it came in.
 */
import type { Carry, Masked, Stretch } from './redactor.ts'

/** What a rule may look back at. */
export const BEHIND_BYTES = 1024
/** What a rule may look ahead at; a secret that is longer goes on as pending. */
export const AHEAD_BYTES = 24 * 1024
const STRETCH_BYTES = 256 * 1024

export interface StreamSizes {
  readonly behindBytes: number
  readonly aheadBytes: number
  readonly stretchBytes: number
}

const SIZES: StreamSizes = { behindBytes: BEHIND_BYTES, aheadBytes: AHEAD_BYTES, stretchBytes: STRETCH_BYTES }

/** Of the memory of a stream of these sizes. */
export const CAPACITY_BYTES = capacityOf(SIZES)

function capacityOf({ behindBytes, aheadBytes, stretchBytes }: StreamSizes): number {
  return behindBytes + stretchBytes + aheadBytes
}

/** Nothing stands before the first stretch. */
export const BEGIN: Carry = { sentTo: 0, pending: [] }

/** Masks one stretch, somewhere else; rejects when it cannot. */
export type MaskStretch = (stretch: Stretch) => Promise<Masked>

export interface RedactionStream {
  /** The masked bytes that are ready, perhaps none; each part is good until the next is asked for. The chunk is copied. */
  push(chunk: Uint8Array): AsyncGenerator<Uint8Array>
  /** The rest. */
  end(): AsyncGenerator<Uint8Array>
  /** There is no end to come: what it holds is let go. */
  discard(): void
  /** Masks so far, by rule. */
  readonly hits: Readonly<Record<string, number>>
}

/** @param buffer its memory, `capacityOf(sizes)` long; nobody else's until the stream has ended. */
export function createStream(
  mask: MaskStretch,
  sizes: StreamSizes = SIZES,
  buffer: Buffer = Buffer.allocUnsafeSlow(capacityOf(sizes)),
): RedactionStream {
  const { behindBytes, aheadBytes, stretchBytes } = sizes
  const hits: Record<string, number> = {}
  let filled = 0
  /** Where the stretch to be masked begins; what stands before is there to be looked back at. */
  let from = 0
  let carry = BEGIN

  const step = async function* (to: number, final: boolean): AsyncGenerator<Uint8Array, void> {
    const masked = await mask({ bytes: buffer.subarray(0, filled), from, to, final, carry })
    for (const [rule, count] of Object.entries(masked.hits)) hits[rule] = (hits[rule] ?? 0) + count
    try {
      // Perhaps a piece of the buffer itself, which so must stay as it is until whoever asked for it is done.
      yield masked.bytes
    } finally {
      const dropped = Math.max(0, to - behindBytes)
      buffer.copyWithin(0, dropped, filled)
      filled -= dropped
      from = to - dropped
      carry = moved(masked.carry, dropped)
    }
  }
  return {
    hits,
    async *push(chunk) {
      for (let taken = 0; taken < chunk.length;) {
        const wanted = from + stretchBytes + aheadBytes - filled
        const piece = chunk.subarray(taken, taken + wanted)
        buffer.set(piece, filled)
        filled += piece.length
        taken += piece.length
        if (filled === from + stretchBytes + aheadBytes) yield* step(from + stretchBytes, false)
      }
    },
    async *end() {
      // What is left over is more than a stretch when it holds what could be looked ahead at.
      while (filled - from > stretchBytes) yield* step(from + stretchBytes, true)
      if (filled > from) yield* step(filled, true)
    },
    discard: () => {},
  }
}

/** The same places after bytes at the front were dropped. */
export function moved({ sentTo, pending, claims = [] }: Carry, dropped: number): Carry {
  return {
    sentTo: sentTo - dropped,
    pending: pending.map((one) => ({ ...one, at: one.at - dropped })),
    claims: claims.map((one) => ({ ...one, start: one.start - dropped, end: one.end - dropped })),
  }
}
