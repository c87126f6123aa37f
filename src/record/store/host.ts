/** The thread's side: the databases that were asked for, each kept in order in between. */
import type { MessagePort } from 'node:worker_threads'
import type { Book } from './book.ts'
import { StoreEngine } from './engine.ts'
import { StoreError } from './error.ts'
import type { Asked, OwnRequest, Said, StoreSettings } from './protocol.ts'

/** Answers until the port is closed. */
export function hostBooks(port: MessagePort, books: readonly Book[]): void {
  const open = new Map<string, Hosted>()
  port.on('message', (asked: Asked) => {
    const { id } = asked
    if ('own' in asked && asked.own.kind === 'open') {
      const book = books.find(({ name }) => name === asked.book)!
      open.set(asked.book, new Hosted(book, asked.own.settings, (said) => port.postMessage(said)))
    }
    open.get(asked.book)!.answer(id, asked)
    if ('own' in asked && asked.own.kind === 'close') open.delete(asked.book)
  })
}

class Hosted {
  readonly #name: string
  readonly #engine: StoreEngine
  readonly #say: (said: Said) => void
  #timer: NodeJS.Timeout

  constructor(book: Book, settings: StoreSettings, say: (said: Said) => void) {
    this.#name = book.name
    this.#engine = new StoreEngine(book, settings)
    this.#say = say
    this.#timer = setTimeout(() => this.#maintain(), 0)
  }

  answer(id: number, asked: Asked): void {
    const about = () => ({ book: this.#name, id, status: this.#engine.status() })
    try {
      const reply = 'own' in asked ? this.#own(asked.own) : this.#engine.answer(asked.verb, asked.argument)
      this.#say({ ...about(), reply })
    } catch (error) {
      this.#say({ ...about(), failure: failureOf(error) })
    }
  }

  #own({ kind }: OwnRequest): void {
    if (kind === 'checkpoint') this.#engine.checkpoint()
    if (kind !== 'close') return
    clearTimeout(this.#timer)
    this.#engine.close()
  }

  #maintain(): void {
    const before = JSON.stringify(this.#engine.status())
    const delayMs = this.#engine.maintain()
    const status = this.#engine.status()
    if (JSON.stringify(status) !== before) this.#say({ book: this.#name, status })
    this.#timer = setTimeout(() => this.#maintain(), delayMs)
  }
}

function failureOf(error: unknown) {
  if (error instanceof StoreError) return { code: error.code, message: error.message }
  return { code: 'failed' as const, message: error instanceof Error ? error.message : String(error) }
}
