/** The thread of the store, seen from outside: questions and answers, and a new thread when one breaks down. */
import { Worker } from 'node:worker_threads'
import { EventStoreError } from './error.ts'
import type { Replies, Request, Said, Status, StoreSettings } from './protocol.ts'

const FIRST_RESTART_MS = 1000
const MOST_RESTART_MS = 60_000

export interface StoreThread {
  /** Starts the thread where it does not run yet. @throws EventStoreError. */
  ask<K extends Request['kind']>(request: Extract<Request, { kind: K }>): Promise<Replies[K]>
  started(): boolean
  /** Milliseconds that the oldest question waits. */
  waitingMs(): number
  /** Ends it, whatever it does. */
  terminate(): void
}

interface Waiting {
  readonly sinceMs: number
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: Error) => void
}

/** `broke`: it is gone, and comes again by itself. */
export function createStoreThread(
  settings: StoreSettings,
  { said, broke }: { said: (status: Status) => void; broke: (why: string) => void },
): StoreThread {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let restart: NodeJS.Timeout | undefined
  let restartMs = FIRST_RESTART_MS
  let next = 0
  let ended = false

  const hear = (message: Said) => {
    restartMs = FIRST_RESTART_MS
    said(message.status)
    if (!('id' in message)) return
    const asked = waiting.get(message.id)
    waiting.delete(message.id)
    if (waiting.size === 0) worker?.unref()
    if ('failure' in message) asked?.reject(new EventStoreError(message.failure.code, message.failure.message))
    else asked?.resolve(message.reply)
  }
  const lost = (started: Worker, why: string) => {
    if (started !== worker) return
    worker = undefined
    for (const { reject } of waiting.values()) reject(new EventStoreError('failed', `the thread of the store ${why}`))
    waiting.clear()
    if (ended) return
    broke(why)
    restart = setTimeout(start, restartMs).unref()
    restartMs = Math.min(restartMs * 2, MOST_RESTART_MS)
  }
  const start = () => {
    const started = new Worker(new URL('store-worker.ts', import.meta.url), {
      workerData: settings,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 },
    })
    worker = started
    // What a thread said before it broke down may come after.
    started.on('message', (message: Said) => {
      if (started === worker) hear(message)
    })
    started.once('error', (error: Error) => lost(started, `broke down: ${error.message}`))
    started.once('exit', () => lost(started, 'ended'))
    if (waiting.size === 0) started.unref()
    return started
  }
  return {
    ask<K extends Request['kind']>(request: Extract<Request, { kind: K }>) {
      const { promise, resolve, reject } = Promise.withResolvers<Replies[K]>()
      if (ended) reject(new EventStoreError('closed', 'the store is closed'))
      else if (restart && !worker) reject(new EventStoreError('paused', 'the thread of the store is started anew'))
      else {
        const id = next++
        waiting.set(id, { sinceMs: performance.now(), resolve: resolve as (reply: unknown) => void, reject })
        const target = worker ?? start()
        target.ref()
        target.postMessage({ id, request })
      }
      return promise
    },
    started: () => worker !== undefined,
    waitingMs() {
      const [oldest] = waiting.values()
      return oldest ? performance.now() - oldest.sinceMs : 0
    },
    terminate() {
      ended = true
      clearTimeout(restart)
      const gone = worker
      if (gone) lost(gone, 'was ended')
      void gone?.terminate()
    },
  }
}
