/** The cap of the bandwidth: a bucket of tokens, a byte each. It has no clock of its own. */

/** What may go at once after a rest: short enough that a person on the line does not notice. */
const BURST_MS = 250
/** What goes into the socket at once: each is work for the stream in front of it. */
const MOST_SLICE_BYTES = 256 * 1024

export interface Pace {
  /** No more goes at once. */
  readonly sliceBytes: number
  /** The bytes are counted as sent; how long to wait before they may go. */
  delayMs(bytes: number, nowMs: number): number
}

export function createPace(bytesPerSecond: number | undefined): Pace {
  if (bytesPerSecond === undefined) return { sliceBytes: MOST_SLICE_BYTES, delayMs: () => 0 }
  /** When all that was taken so far would have gone at exactly that speed. */
  let paidUntilMs = -Infinity
  return {
    sliceBytes: Math.min(MOST_SLICE_BYTES, Math.ceil((bytesPerSecond * BURST_MS) / 1000)),
    delayMs(bytes, nowMs) {
      paidUntilMs = Math.max(paidUntilMs, nowMs - BURST_MS) + (bytes / bytesPerSecond) * 1000
      return Math.max(0, paidUntilMs - nowMs)
    },
  }
}
