/**
 * How much of a log is kept when more comes than anybody will read: a bucket that fills with the time of the lines, not with ours, so
 * that a backlog read at full speed is no flood.
 */

/** What a container may log for as long as it likes, bytes of text per second, and at once. 5000 lines/s of 1600 bytes. */
export interface FloodLimits {
  readonly bytesPerSecond: number
  readonly burstBytes: number
}

export const FLOOD_LIMITS: FloodLimits = { bytesPerSecond: 8 * 1024 * 1024, burstBytes: 64 * 1024 * 1024 }

/** Once over the limit, lines are left out until so much of the burst is there again: few holes instead of many. */
const RESUME_SHARE = 1 / 16

export class FloodGate {
  readonly #limits: FloodLimits
  #bytes: number
  #secondsBefore = 0
  #closed = false

  constructor(limits: FloodLimits) {
    this.#limits = limits
    this.#bytes = limits.burstBytes
  }

  /** Whether a line of that time is kept. */
  passes(seconds: number, nanos: number, lineBytes: number): boolean {
    const { bytesPerSecond, burstBytes } = this.#limits
    const now = seconds + nanos / 1e9
    const passed = now - this.#secondsBefore
    // A clock that was set back gives nothing.
    if (passed > 0) this.#bytes = Math.min(burstBytes, this.#bytes + passed * bytesPerSecond)
    this.#secondsBefore = now
    if (this.#closed && this.#bytes < burstBytes * RESUME_SHARE) return false
    this.#closed = this.#bytes < lineBytes
    if (!this.#closed) this.#bytes -= lineBytes
    return !this.#closed
  }
}
