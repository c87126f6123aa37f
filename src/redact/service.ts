/**
 * The thread of the rules, seen from outside: hands stretches over, and ends the thread when one takes too long. The stretch
 * that hung is refused, for good; those that waited behind it are masked by a new thread.
 */
import { Worker } from 'node:worker_threads'
import { collectGarbage } from '../garbage.ts'
import type { RedactorOptions } from './configured.ts'
import { createMemories, type Memories } from './memories.ts'
import type { Answer, MaskedIn, Order } from './redact-worker.ts'
import type { Masked, Stretch } from './redactor.ts'
import { BEGIN, createStream, type RedactionStream } from './stream.ts'

/** A stretch takes one or two milliseconds; a machine that starves its threads has this long. */
const WATCHDOG_MS = 20_000

/** The thread takes 18 MiB and 0.1 s to start: kept for bundles that follow each other, not for days. */
const IDLE_MS = 60_000

/** A text up to this length is sent to the thread: most are names and sentences, and a memory of its own is 281 KiB. */
const SENT_BYTES = 16 * 1024

/** What could not be masked and so is not handed over. The message tells nothing of the text. */
export class RedactionError extends Error {
  override name = 'RedactionError'
}

export interface RedactionService {
  /** A redactor for one bundle. */
  open(options: RedactorOptions): BundleRedactor
  /** Ends the thread; what waits is refused. */
  close(): Promise<void>
}

export interface BundleRedactor {
  stream(): RedactionStream
  /** Something short at once. What comes back may be the bytes themselves. */
  whole(bytes: Uint8Array): Promise<{ bytes: Buffer; hits: Readonly<Record<string, number>> }>
  close(): void
}

interface Job {
  readonly order: Order
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

export function createRedactionService(watchdogMs = WATCHDOG_MS, idleMs = IDLE_MS): RedactionService {
  const opened = new Map<number, RedactorOptions>()
  const jobs: Job[] = []
  let worker: Worker | undefined
  let timer: NodeJS.Timeout | undefined
  let idle: NodeJS.Timeout | undefined
  let next = 0
  let closed = false

  const tell = (order: Order) => worker?.postMessage(order)
  const memories = createMemories({
    added: ({ id, bytes }) => tell({ id: -1, memory: id, bytes }),
    dropped: (drop) => tell({ id: -1, drop }),
  })
  const start = (): Worker => {
    const started = new Worker(new URL('redact-worker.ts', import.meta.url), {
      // What it looks at is garbage at once: with more room it would lie about for long.
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4 },
    })
    started.on('message', (answer: Answer) => {
      if (started === worker) settle(answer)
    })
    const broke = () => {
      if (started === worker) refuse('the thread of the rules broke down')
    }
    started.once('error', broke)
    started.once('exit', broke)
    started.unref()
    return started
  }
  const watch = () => {
    clearTimeout(timer)
    timer = undefined
    if (jobs.length === 0) {
      worker?.unref()
      rest()
      return
    }
    worker?.ref()
    timer = setTimeout(() => refuse(`the rules were not done with it after ${watchdogMs / 1000} s`), watchdogMs)
  }
  const settle = (answer: Answer) => {
    const job = jobs.shift()!
    watch()
    if ('error' in answer) job.reject(new RedactionError(`a rule failed: ${answer.error}`))
    else job.resolve(answer)
  }
  /** The job at the head is at fault; the others go to a new thread. */
  const refuse = (why: string) => {
    const ended = worker
    worker = undefined
    void ended?.terminate()
    jobs.shift()?.reject(new RedactionError(why))
    if (jobs.length > 0 && !closed) {
      worker = revive()
      for (const { order } of jobs) if (!('options' in order)) worker.postMessage(order)
    }
    watch()
  }
  /** Nobody needs the thread now. */
  const rest = () => {
    clearTimeout(idle)
    if (opened.size === 0 && jobs.length === 0 && !closed) idle = setTimeout(() => void leave(), idleMs).unref()
  }
  /** What the bundles have left is garbage with the thread, which knew their memory too. */
  const leave = async () => {
    await end()
    collectGarbage()
  }
  const end = async () => {
    const ended = worker
    worker = undefined
    memories.clear()
    await ended?.terminate()
  }
  const revive = (): Worker => {
    const fresh = start()
    for (const { id, bytes } of memories.known()) fresh.postMessage({ id: -1, memory: id, bytes } satisfies Order)
    for (const [redactor, options] of opened) fresh.postMessage({ id: -1, redactor, options } satisfies Order)
    return fresh
  }
  const ask = (order: Order): Promise<Answer> => {
    if (closed) return Promise.reject(new RedactionError('the redaction has ended'))
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    worker ??= revive()
    worker.postMessage(order)
    jobs.push({ order, resolve, reject })
    if (jobs.length === 1) watch()
    return promise
  }
  return {
    open(options) {
      clearTimeout(idle)
      const redactor = next++
      opened.set(redactor, options)
      tell({ id: -1, redactor, options })
      const stream = () =>
        lentStream(memories, async (memory, { bytes, ...stretch }) => {
          const order = { ...stretch, memory, lengthBytes: bytes.length }
          return maskedOf(bytes, await ask({ id: next++, redactor, stretch: order }))
        })
      const sent = async (bytes: Uint8Array) => {
        // Cut out: a clone takes all of the memory that it is a part of.
        const stretch = { bytes: new Uint8Array(bytes), from: 0, to: bytes.length, final: true, carry: BEGIN }
        return maskedOf(bytes, await ask({ id: next++, redactor, stretch }))
      }
      return {
        stream,
        async whole(bytes) {
          if (bytes.length === 0) return { bytes: Buffer.alloc(0), hits: {} }
          if (bytes.length <= SENT_BYTES) {
            const { bytes: masked, hits } = await sent(bytes)
            return { bytes: Buffer.from(masked.buffer, masked.byteOffset, masked.length), hits }
          }
          const one = stream()
          const parts: Buffer[] = []
          for await (const part of one.push(bytes)) parts.push(Buffer.from(part))
          for await (const part of one.end()) parts.push(Buffer.from(part))
          return { bytes: Buffer.concat(parts), hits: one.hits }
        },
        close() {
          opened.delete(redactor)
          tell({ id: -1, forget: redactor })
          rest()
        },
      }
    },
    async close() {
      closed = true
      clearTimeout(timer)
      clearTimeout(idle)
      for (const { reject } of jobs.splice(0)) reject(new RedactionError('the redaction has ended'))
      await end()
    },
  }
}

/** A stream in a memory that it has for itself until it ends. */
function lentStream(memories: Memories, mask: (memory: number, stretch: Stretch) => Promise<Masked>): RedactionStream {
  const memory = memories.lend()
  const stream = createStream((stretch) => mask(memory.id, stretch), undefined, memory.bytes)
  let ended = false
  const discard = () => {
    if (!ended) memories.giveBack(memory)
    ended = true
  }
  // Somebody else may have the memory by then.
  const refuseEnded = () => {
    if (ended) throw new Error('the stream of the mask has ended')
  }
  return {
    hits: stream.hits,
    async *push(chunk) {
      refuseEnded()
      yield* stream.push(chunk)
    },
    async *end() {
      refuseEnded()
      try {
        yield* stream.end()
      } finally {
        discard()
      }
    },
    discard,
  }
}

function maskedOf(stretch: Uint8Array, answer: Answer): Masked {
  const { masked } = answer as { masked: MaskedIn }
  return 'bytes' in masked ? masked : { ...masked, bytes: stretch.subarray(masked.start, masked.end) }
}
