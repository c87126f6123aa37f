/** The thread's side: the databases that were asked for, each kept in order in between. */
import type { MessagePort } from 'node:worker_threads'
import type { Book } from './book.ts'
import { StoreEngine } from './engine.ts'
import { StoreError } from './error.ts'
import type { Asked, OwnRequest, Said, Status, StoreSettings } from './protocol.ts'
import { besideOf, type Resident, type Residents } from './resident.ts'

/** Answers until the port is closed. */
export function hostBooks(port: MessagePort, books: readonly Book[], residents: Residents = {}): void {
  const open = new Map<string, Hosted>()
  const say = (said: Said) => port.postMessage(said)
  port.on('message', (asked: Asked) => {
    const { id } = asked
    if ('own' in asked && asked.own.kind === 'open') {
      const book = books.find(({ name }) => name === asked.book)!
      open.set(asked.book, new Hosted({ book, settings: asked.own.settings, say, residents }))
    }
    open.get(asked.book)!.answer(id, asked)
    if ('own' in asked && asked.own.kind === 'close') open.delete(asked.book)
  })
}

interface HostedOptions {
  readonly book: Book
  readonly settings: StoreSettings
  readonly say: (said: Said) => void
  readonly residents: Residents
}

class Hosted {
  readonly #name: string
  readonly #engine: StoreEngine
  readonly #say: (said: Said) => void
  readonly #resident: Resident | undefined
  #refused = 0
  #timer: NodeJS.Timeout | undefined
  #dueMs = Infinity

  constructor({ book, settings, say, residents }: HostedOptions) {
    this.#name = book.name
    this.#engine = new StoreEngine(book, settings)
    this.#say = say
    const beside = besideOf(this.#engine, (refused) => {
      this.#refused = refused
      this.#say({ book: this.#name, status: this.#status() })
    })
    this.#resident = residents[book.name]?.(settings as never, beside)
    this.#maintainIn(0)
  }

  answer(id: number, asked: Asked): void {
    const about = () => ({ book: this.#name, id, status: this.#status() })
    try {
      const reply = 'own' in asked ? this.#own(asked.own) : this.#verb(asked.verb, asked.argument)
      this.#say({ ...about(), reply })
    } catch (error) {
      this.#say({ ...about(), failure: failureOf(error) })
    }
    // It may have rested, as nothing was written.
    if ('verb' in asked) this.#maintainIn(this.#engine.upkeepMs)
  }

  #status(): Status {
    return { ...this.#engine.status(), refused: this.#refused }
  }

  #verb(verb: string, argument: unknown): unknown {
    const own = this.#resident?.verbs[verb] as ((argument: unknown) => unknown) | undefined
    return own ? own(argument) : this.#engine.answer(verb, argument)
  }

  #own({ kind }: OwnRequest): void {
    if (kind === 'checkpoint') this.#engine.checkpoint()
    if (kind !== 'close') return
    clearTimeout(this.#timer)
    this.#resident?.close()
    this.#engine.close()
  }

  #maintain(): void {
    const before = JSON.stringify(this.#status())
    this.#engine.maintain()
    const status = this.#status()
    if (JSON.stringify(status) !== before) this.#say({ book: this.#name, status })
    this.#dueMs = Infinity
    this.#maintainIn(this.#engine.upkeepMs)
  }

  /** Unless it is to be done sooner. */
  #maintainIn(delayMs: number): void {
    const dueMs = performance.now() + delayMs
    if (dueMs >= this.#dueMs) return
    clearTimeout(this.#timer)
    this.#dueMs = dueMs
    this.#timer = setTimeout(() => this.#maintain(), delayMs)
  }
}

function failureOf(error: unknown) {
  if (error instanceof StoreError) return { code: error.code, message: error.message }
  return { code: 'failed' as const, message: error instanceof Error ? error.message : String(error) }
}
