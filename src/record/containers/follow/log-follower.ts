/** Follows the log of one container: asked for from where it was left, for as long as the container runs, and once more after that. */
import { followEngine, type Following } from '../../../sources/engine-follow.ts'
import { unreadable } from '../../../sources/engine-log.ts'
import type { EngineGate } from './gate.ts'
import { PUSH_BYTES, type LogHandle, type LogThread } from '../thread/log-thread.ts'
import type { Counted, Place } from '../thread/protocol.ts'

export interface LogFollowerOptions {
  readonly thread: LogThread
  readonly folder: string
  readonly socket: string
  readonly gate: EngineGate
  readonly id: string
  /** Podman tells whole seconds. */
  readonly wholeSeconds: boolean
  /** Nothing of it is kept yet: its place need not be asked for. */
  readonly isNew: boolean
  /** Of the log of a container that is older than diagd, only the newest. */
  readonly lastLines: number | undefined
  readonly events: LogFollowerEvents
}

interface LogFollowerEvents {
  /** The engine ended it: because the container did, or the engine did, or nobody knows why. What is to be done? */
  ended(reason: string | undefined): void
  /** The engine will not hand it out: another log driver. */
  unreadable(message: string): void
  /** The engine does not know the container any more. `unread`: and did not when it was asked for the log of this run. */
  gone(unread: boolean): void
  /** Something that belongs into events.db. */
  trouble(sentence: string): void
  counted(counted: Counted): void
}

const RETRY_MS = { first: 100, most: 60_000 }
/** After so long a connection was a good one. */
const GOOD_MS = 30_000

export class LogFollower {
  readonly #options: LogFollowerOptions
  readonly #handle: LogHandle
  #following: Following | undefined
  #retry: NodeJS.Timeout | undefined
  #retryMs = RETRY_MS.first
  #openedAtMs = 0
  #isNew: boolean
  #wanted = false
  /** The engine began to hand out the log of this run. */
  #begun = false
  #turn = 0
  /** What came before it may be handed on. */
  #early: (() => void)[] | undefined
  /** What is read now was all there before it was asked for. */
  #checked = false

  constructor(options: LogFollowerOptions) {
    this.#options = options
    this.#isNew = options.isNew
    this.#handle = options.thread.open(options.folder, {
      lost: () => this.#again('the thread of the logs lost it'),
      ready: () => this.#following?.resume(),
      trouble: (sentence) => options.events.trouble(sentence),
      counted: (counted) => options.events.counted(counted),
    })
  }

  /**
   * The container runs; or it is over, and there is something to catch up with. Nothing of it is handed on before `known`: it may be gone in 50 ms, so
   * it is asked for at once.
   */
  start(isOver: boolean, known?: Promise<unknown>): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#begun = false
    this.#checked = isOver
    this.#early = known && []
    void known?.then(() => this.#handOn())
    this.#retryMs = RETRY_MS.first
    void this.#connect()
  }

  /** The engine is gone. */
  stop(): void {
    if (!this.#wanted) return
    this.#wanted = false
    this.#disconnect()
    this.#handle.end(false)
  }

  /** What the engine still has is to be asked for again: it ended, though the container runs. */
  again(): void {
    this.#handle.end(false)
    if (this.#wanted) this.#again('the engine ended it')
  }

  /**
   * This run of the container is over. An engine that follows a log may miss what comes right before its end (Docker's `local` driver, 20.10), so what
   * it has is read once more. False when that was done.
   */
  checkEnd(): boolean {
    if (this.#checked) return false
    this.#checked = true
    this.#handle.end(true)
    this.#disconnect()
    void this.#connect()
    return true
  }

  /** This run of the container is over, and all of it was read. */
  finish(): void {
    this.#wanted = false
    this.#disconnect()
    this.#handle.end(true)
  }

  /** Nothing more comes for long. */
  close(): void {
    this.#wanted = false
    this.#disconnect()
    this.#handle.close()
  }

  get follows(): boolean {
    return this.#wanted
  }

  mark(sentence: string): void {
    this.#handle.mark(sentence)
  }

  async #connect(): Promise<void> {
    const turn = ++this.#turn
    const { socket, gate, events } = this.#options
    let place: Place | undefined
    try {
      place = this.#isNew ? this.#handle.placeOfNew() : await this.#handle.place()
      await gate.pass()
    } catch (error) {
      if (turn === this.#turn) this.#again((error as Error).message)
      return
    }
    if (turn !== this.#turn || !this.#wanted) return
    this.#isNew = false
    this.#openedAtMs = performance.now()
    this.#following = followEngine(socket, this.#path(place), {
      open: () =>
        this.#inTurn(() => {
          this.#begun = true
          this.#handle.begin()
        }),
      bytes: (bytes, length) => this.#push(bytes, length),
      end: (end) =>
        this.#inTurn(() => {
          const { refused, reason } = end
          this.#following = undefined
          gate.ended()
          if (performance.now() - this.#openedAtMs > GOOD_MS) this.#retryMs = RETRY_MS.first
          if (refused?.status === 404) return events.gone(!this.#begun)
          if (refused && unreadable.test(refused.message)) return events.unreadable(refused.message)
          events.ended(refused ? `${refused.status} ${refused.message}` : reason)
        }),
    })
  }

  #handOn(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const piece of early) piece()
    this.#following?.resume()
  }

  /** In its turn. */
  #inTurn(work: () => void): void {
    if (this.#early) this.#early.push(work)
    else work()
  }

  #push(bytes: Buffer, length: number): boolean {
    if (this.#early) {
      const copy = Buffer.from(bytes.subarray(0, length))
      this.#early.push(() => this.#push(copy, copy.length))
      return false
    }
    let wanted = true
    for (let at = 0; at < length; at += PUSH_BYTES) {
      const piece = bytes.subarray(at, Math.min(length, at + PUSH_BYTES))
      wanted = this.#handle.push(piece, piece.length)
    }
    return wanted
  }

  #path({ since, sinceWholeSeconds }: Place): string {
    const { id, wholeSeconds, lastLines } = this.#options
    const from = wholeSeconds ? sinceWholeSeconds : since
    const follow = this.#checked ? '0' : '1'
    const query = new URLSearchParams({ stdout: '1', stderr: '1', follow, timestamps: '1' })
    if (from !== undefined) query.set('since', from)
    else if (lastLines !== undefined) query.set('tail', String(lastLines))
    return `/containers/${id}/logs?${query.toString()}`
  }

  #again(_reason: string): void {
    this.#disconnect()
    if (!this.#wanted) return
    this.#retry = setTimeout(() => void this.#connect(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most)
  }

  #disconnect(): void {
    this.#turn++
    this.#early &&= []
    clearTimeout(this.#retry)
    this.#following?.close()
    this.#following = undefined
  }
}
