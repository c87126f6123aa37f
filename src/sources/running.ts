/** Reading a child to its end, no faster than the reader pulls and no longer than patience lasts. */
import type { Child, Exit } from './children.ts'
import { startChild } from './children.ts'

/** How long others may hold the outputs of a child that is gone. */
const LINGER_MS = 500

export interface Patience {
  /** Milliseconds of waiting altogether; time the reader takes between two pulls does not count. */
  readonly totalMs: number
  /** Milliseconds of waiting for the next byte. */
  readonly stallMs: number
  /** Whether waiting has become pointless: then a silence of `HOPELESS_MS` is enough. */
  readonly hopeless?: () => boolean
}

/** A silent child gets this long once waiting is pointless, which is looked at as often. */
export const HOPELESS_MS = 2000

/** How it came to an end: by itself, or why not. */
type Ending = 'itself' | 'late' | 'stalled' | 'hopeless' | 'lingering' | 'cut'

export interface Run {
  readonly ending: Ending
  /** undefined when the child would not die even of SIGKILL, and was left behind. */
  readonly exit: Exit | undefined
  readonly stderr: string
  readonly bytes: number
}

/** Runs `file`; yields what it prints to stdout, at most `maxBytes` and then cut at a line border where there is one. */
export async function* run(
  file: string,
  args: readonly string[],
  options: { path: string; signal: AbortSignal; patience: Patience; maxBytes: number },
): AsyncGenerator<Buffer, Run, void> {
  const { signal, maxBytes } = options
  signal.throwIfAborted()
  const child = await startChild(file, args, options.path)
  const onAbort = (): void => void child.signal('SIGKILL')
  signal.addEventListener('abort', onAbort, { once: true })
  let bytes = 0
  let ending: Ending = 'itself'
  let died = true
  try {
    const waiting = new Waiting(child, options.patience, signal)
    for (;;) {
      const next = await waiting.next()
      signal.throwIfAborted()
      if (typeof next === 'string') {
        ending = next
        break
      }
      const wanted = bytes + next.length > maxBytes ? cutAtLine(next, maxBytes - bytes) : next
      bytes += wanted.length
      if (wanted.length > 0) yield wanted
      if (wanted !== next) {
        ending = 'cut'
        break
      }
    }
    if (ending === 'late' || ending === 'stalled' || ending === 'hopeless') await child.askToEnd()
  } finally {
    signal.removeEventListener('abort', onAbort)
    died = await child.destroy()
  }
  return { ending, exit: died ? child.exit : undefined, stderr: child.kept.text(), bytes }
}

function cutAtLine(chunk: Buffer, maxBytes: number): Buffer {
  const kept = chunk.subarray(0, maxBytes)
  const lineEnd = kept.lastIndexOf('\n')
  return lineEnd === -1 ? kept : kept.subarray(0, lineEnd + 1)
}

/** Counts only the time spent in `next()` with nothing to read. */
class Waiting {
  readonly #child: Child
  readonly #patience: Patience
  readonly #signal: AbortSignal
  #waitedMs = 0
  #lingeredMs = 0

  constructor(child: Child, patience: Patience, signal: AbortSignal) {
    this.#child = child
    this.#patience = patience
    this.#signal = signal
  }

  async next(): Promise<Buffer | Exclude<Ending, 'cut'>> {
    let silentMs = 0
    for (;;) {
      const chunk = this.#child.stdout.read() as Buffer | null
      if (chunk !== null) return chunk
      if (this.#signal.aborted) return 'itself'
      if (this.#child.exit !== undefined && this.#child.closed) return 'itself'
      if (this.#child.exit !== undefined && this.#lingeredMs >= LINGER_MS) return 'lingering'
      if (this.#waitedMs >= this.#patience.totalMs) return 'late'
      if (silentMs >= this.#patience.stallMs) return 'stalled'
      if (silentMs >= HOPELESS_MS && this.#patience.hopeless?.()) return 'hopeless'
      const exited = this.#child.exit !== undefined
      const waitedMs = await this.#wait(this.#longestMs(silentMs))
      silentMs += waitedMs
      this.#waitedMs += waitedMs
      if (exited) this.#lingeredMs += waitedMs
    }
  }

  #longestMs(silentMs: number): number {
    const { totalMs, stallMs, hopeless } = this.#patience
    const lingerMs = this.#child.exit === undefined ? Infinity : LINGER_MS - this.#lingeredMs
    return Math.min(totalMs - this.#waitedMs, stallMs - silentMs, lingerMs, hopeless ? HOPELESS_MS : Infinity)
  }

  /** Until something happens to the child, at most `longestMs`; resolves to the milliseconds it took. */
  #wait(longestMs: number): Promise<number> {
    const startedMs = performance.now()
    const signal = this.#signal
    const events = this.#child.happenings()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        for (const [emitter, event] of events) emitter.off(event, done)
        signal.removeEventListener('abort', done)
        resolve(performance.now() - startedMs)
      }
      for (const [emitter, event] of events) emitter.on(event, done)
      signal.addEventListener('abort', done)
      // After a blocked event loop a timer fires before the bytes that lie ready are seen: let it look for them once.
      const late = (): void => void setImmediate(done)
      const timer = setTimeout(late, Math.min(Math.ceil(longestMs), 2 ** 31 - 1))
    })
  }
}
