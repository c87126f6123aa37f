/**
 * A thread that is there when it is needed: started by the first order, ended when there was nothing to do for a while, ended when a rule of the
 * mask hangs, and started again later when it broke down.
 */
import { Worker } from 'node:worker_threads'
import { DOING, PHASE, type Order, type Said, type ThreadSettings } from './protocol.ts'

export interface HostOptions {
  readonly settings: Omit<ThreadSettings, 'phase'>
  /** Without anything to do the thread ends after this time. */
  readonly idleMs: number
  /** A rule may take so long for 256 KiB of text. */
  readonly watchdogMs: number
  /** What a new thread has to know. */
  readonly prepare: () => readonly Order[]
  /** An order that came while the thread ended: to be given once more. */
  readonly again: (order: Order) => void
  /** Whether an answer is waited for. */
  readonly isBusy: () => boolean
  readonly heard: (said: Said) => void
  /** It knows of no log any more. `reason`: it did not end of its own accord. `hungOn`: the log whose text it masked for too long. */
  readonly gone: (reason: string | undefined, hungOn: number | undefined) => void
}

const RESTART_MS = { first: 1000, most: 60_000 }

export class ThreadHost {
  readonly #options: HostOptions
  #worker: Worker | undefined
  #phase = new Int32Array(new SharedArrayBuffer(PHASE.words * 4))
  /** Orders that wait while the thread makes up its mind whether it can end. */
  #outbox: Order[] | undefined
  #timer: NodeJS.Timeout | undefined
  #turn = 0
  #turnAtMs = 0
  #usedAtMs = 0
  #restartMs = RESTART_MS.first
  #notBeforeMs = 0
  #closed = false

  constructor(options: HostOptions) {
    this.#options = options
  }

  get runs(): boolean {
    return this.#worker !== undefined
  }

  /** False: it broke down, and nothing is written for the moment; or it is closed. */
  post(order: Order): boolean {
    if (this.#closed || (!this.#worker && performance.now() < this.#notBeforeMs)) return false
    this.#usedAtMs = performance.now()
    if (this.#outbox) this.#outbox.push(order)
    else (this.#worker ?? this.#start()).postMessage(order)
    return true
  }

  /** Whether somebody waits for an answer: then the process goes on for that. */
  keepAlive(needed: boolean): void {
    if (needed) this.#worker?.ref()
    else this.#worker?.unref()
  }

  close(): void {
    this.#closed = true
    void this.#worker?.terminate()
    this.#forget()
  }

  #start(): Worker {
    const { settings, prepare } = this.#options
    this.#phase = new Int32Array(new SharedArrayBuffer(PHASE.words * 4))
    const worker = new Worker(new URL('containers-worker.ts', import.meta.url), {
      workerData: { ...settings, phase: this.#phase.buffer } satisfies ThreadSettings,
      execArgv: [],
      // What it looks at is garbage at once: with more room it would lie about for long.
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
    })
    worker.on('message', (said: Said) => {
      if (worker === this.#worker) this.#hear(said)
    })
    worker.once('error', (error: Error) => {
      if (worker === this.#worker) this.#lose(`the thread of the logs broke down: ${error.message}`, undefined)
    })
    worker.once('exit', () => {
      if (worker === this.#worker) this.#lose('the thread of the logs ended', undefined)
    })
    worker.unref()
    this.#worker = worker
    this.#turnAtMs = performance.now()
    const { idleMs, watchdogMs } = this.#options
    this.#timer = setInterval(() => this.#look(), Math.min(idleMs, watchdogMs) / 4).unref()
    for (const order of prepare()) worker.postMessage(order)
    return worker
  }

  #hear(said: Said): void {
    if (said.kind === 'rested') return this.#rested()
    if (said.kind === 'busy') {
      const waited = this.#outbox ?? []
      this.#outbox = undefined
      for (const order of waited) this.#worker!.postMessage(order)
      return
    }
    this.#restartMs = RESTART_MS.first
    this.#options.heard(said)
  }

  #rested(): void {
    const waited = this.#outbox ?? []
    this.#outbox = undefined
    this.#forget()
    this.#options.gone(undefined, undefined)
    for (const order of waited) this.#options.again(order)
  }

  /** Is it still there, and does anybody need it? */
  #look(): void {
    const now = performance.now()
    const turn = Atomics.load(this.#phase, PHASE.turn)
    if (turn !== this.#turn || Atomics.load(this.#phase, PHASE.doing) !== DOING.masking) {
      this.#turn = turn
      this.#turnAtMs = now
    } else if (now - this.#turnAtMs > this.#options.watchdogMs) {
      const log = Atomics.load(this.#phase, PHASE.log)
      return this.#lose(`the rules were not done with a text after ${this.#options.watchdogMs / 1000} s`, log)
    }
    if (this.#outbox || this.#options.isBusy() || now - this.#usedAtMs < this.#options.idleMs) return
    this.#outbox = []
    this.#worker!.postMessage({ kind: 'rest' } satisfies Order)
  }

  #lose(reason: string, hungOn: number | undefined): void {
    void this.#worker?.terminate()
    this.#forget()
    this.#outbox = undefined
    this.#notBeforeMs = performance.now() + this.#restartMs
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MS.most)
    this.#options.gone(reason, hungOn)
  }

  #forget(): void {
    clearInterval(this.#timer)
    this.#worker = undefined
  }
}
