/** The cap of the bandwidth: a bucket of tokens, a byte each. It has no clock of its own. */

/** What may go at once after a rest: short enough that a person on the line does not notice. */
const BURST_MS = 250

export interface Pace {
  /** The bytes are counted as sent; how long to wait before they may go. */
  delayMs(bytes: number, nowMs: number): number
}

export function createPace(bytesPerSecond: number | undefined): Pace {
  if (bytesPerSecond === undefined) return { delayMs: () => 0 }
  /** When all that was taken so far would have gone at exactly that speed. */
  let paidUntilMs = -Infinity
  return {
    delayMs(bytes, nowMs) {
      paidUntilMs = Math.max(paidUntilMs, nowMs - BURST_MS) + (bytes / bytesPerSecond) * 1000
      return Math.max(0, paidUntilMs - nowMs)
    },
  }
}
