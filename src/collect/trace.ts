/**
 * Where the time went, in Chrome's trace event format (complete events, `ph: X`, microseconds): opens in Perfetto
 * and chrome://tracing. One track per collector, so that what ran side by side is seen side by side.
 */
export class Trace {
  readonly #startMs = performance.now()
  readonly #tracks = new Map<string, number>()
  readonly #events: object[] = []

  /** Starts a span; the returned function ends it and gives its duration in milliseconds. */
  span(collector: string, name: string): (args?: Record<string, unknown>) => number {
    const beganMs = performance.now()
    return (args = {}) => {
      const durationMs = performance.now() - beganMs
      this.#events.push({
        name,
        cat: collector,
        ph: 'X',
        ts: Math.round((beganMs - this.#startMs) * 1000),
        dur: Math.round(durationMs * 1000),
        pid: 1,
        tid: this.#track(collector),
        args,
      })
      return Math.round(durationMs)
    }
  }

  toJSON(): object {
    return { displayTimeUnit: 'ms', traceEvents: this.#events }
  }

  #track(collector: string): number {
    const known = this.#tracks.get(collector)
    if (known !== undefined) return known
    const track = this.#tracks.size + 1
    this.#tracks.set(collector, track)
    this.#events.push({ name: 'thread_name', ph: 'M', pid: 1, tid: track, args: { name: collector } })
    return track
  }
}
