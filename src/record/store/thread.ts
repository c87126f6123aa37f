/** The thread of the databases, seen from outside: questions and answers, and a new thread when one breaks down. */
import type { Worker } from 'node:worker_threads'
import type { Argument, Book, Label, Reply, SettingsOf, Verb } from './book.ts'
import { StoreError } from './error.ts'
import type { Asked, OwnRequest, Said, Status, StoreSettings } from './protocol.ts'

const FIRST_RESTART_MS = 1000
const MOST_RESTART_MS = 60_000

export interface StoreThread {
  /** One more database in it, which is opened at the first question. */
  attach<B extends Book>(label: Label, settings: SettingsOf<B>, hearing: Hearing): Desk<B>
}

interface Hearing {
  said(status: Status): void
  /** The thread is gone, and comes again by itself. */
  broke(down: Down): void
}

export interface Down {
  /** `off`: it could not even be started. */
  readonly code: 'paused' | 'off'
  readonly reason: string
}

/** Where one database is asked. */
export interface Desk<B extends Book> {
  /** @throws StoreError. */
  ask<V extends Verb<B>>(verb: V, argument: Argument<B, V>): Promise<Reply<B, V>>
  /** Makes its log short. */
  checkpoint(): Promise<unknown>
  close(): Promise<unknown>
  opened(): boolean
  /** Milliseconds that the oldest question waits. */
  waitingMs(): number
  /** It is not asked any more, whatever it does. The thread ends with the last one. */
  leave(): void
}

interface Waiting {
  readonly book: string
  readonly sinceMs: number
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: Error) => void
}

interface Attached extends Hearing {
  readonly settings: StoreSettings
  opened: boolean
}

/** `start` makes a thread in which hostBooks() runs. */
export function createStoreThread(start: () => Worker): StoreThread {
  const attached = new Map<string, Attached>()
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let down: Down | undefined
  let restart: NodeJS.Timeout | undefined
  let restartMs = FIRST_RESTART_MS
  let spoke = false
  let next = 0

  const hear = (message: Said) => {
    spoke = true
    restartMs = FIRST_RESTART_MS
    attached.get(message.book)?.said(message.status)
    if (message.id === undefined) return
    const asked = waiting.get(message.id)
    waiting.delete(message.id)
    if (waiting.size === 0) worker?.unref()
    if ('failure' in message) asked?.reject(new StoreError(message.failure.code, message.failure.message))
    else asked?.resolve(message.reply)
  }
  const lost = (gone: Worker, why: string) => {
    if (gone !== worker) return
    worker = undefined
    const code = spoke ? 'paused' : 'off'
    down = {
      code,
      reason: spoke ? `the thread of the store ${why}` : `the thread of the store does not start: it ${why}`,
    }
    drop(() => true, new StoreError(spoke ? 'failed' : 'off', down.reason))
    for (const one of attached.values()) if (one.opened) one.broke(down)
    restart = setTimeout(begin, restartMs).unref()
    restartMs = Math.min(restartMs * 2, MOST_RESTART_MS)
  }
  const begin = () => {
    const started = start()
    worker = started
    spoke = false
    // What a thread said before it broke down may come after.
    started.on('message', (message: Said) => {
      if (started === worker) hear(message)
    })
    started.once('error', (error: Error) => lost(started, `broke down: ${error.message}`))
    started.once('exit', () => lost(started, 'ended'))
    for (const [book, one] of attached) if (one.opened) open(book, one)
    if (waiting.size === 0) started.unref()
    return started
  }
  const post = (book: string, message: { own: OwnRequest } | { verb: string; argument: unknown }) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const id = next++
    waiting.set(id, { book, sinceMs: performance.now(), resolve, reject })
    const target = worker!
    target.ref()
    target.postMessage({ book, id, ...message } satisfies Asked)
    return promise
  }
  const open = (book: string, one: Attached) => {
    one.opened = true
    post(book, { own: { kind: 'open', settings: one.settings } }).catch(() => {})
  }
  const ask = async (book: string, message: Parameters<typeof post>[1]) => {
    const one = attached.get(book)
    if (!one) throw new StoreError('closed', 'the store is closed')
    if (!worker && down) throw new StoreError(down.code, down.reason)
    if (!worker) begin()
    if (!one.opened) open(book, one)
    return post(book, message)
  }
  const drop = (which: (waiting: Waiting) => boolean, error: StoreError) => {
    for (const [id, one] of waiting) {
      if (!which(one)) continue
      waiting.delete(id)
      one.reject(error)
    }
  }
  const end = () => {
    clearTimeout(restart)
    const gone = worker
    worker = undefined
    void gone?.terminate()
  }
  return {
    attach<B extends Book>({ name }: Label, settings: SettingsOf<B>, hearing: Hearing): Desk<B> {
      attached.set(name, { ...hearing, settings, opened: false })
      return {
        ask: (verb, argument) => ask(name, { verb, argument }) as Promise<Reply<B, typeof verb>>,
        checkpoint: () => ask(name, { own: { kind: 'checkpoint' } }),
        close: () => ask(name, { own: { kind: 'close' } }),
        opened: () => attached.get(name)?.opened === true && worker !== undefined,
        waitingMs: () => longest(waiting, name),
        leave() {
          attached.delete(name)
          drop((one) => one.book === name, new StoreError('closed', 'the store is closed'))
          if (attached.size === 0) end()
        },
      }
    },
  }
}

/** The first of a map is the oldest. */
function longest(waiting: ReadonlyMap<number, Waiting>, book: string): number {
  for (const one of waiting.values()) if (one.book === book) return performance.now() - one.sinceMs
  return 0
}
