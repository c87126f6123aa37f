/** What containers are called: told together, and only when something changed. */

/** Containers come in dozens. */
const TELL_AFTER_MS = 200

export class Names {
  readonly #all: () => Iterable<readonly [id: string, name: string]>
  readonly #tell: (names: ReadonlyMap<string, string>) => void
  #timer: NodeJS.Timeout | undefined
  #told = '[]'

  constructor(
    all: () => Iterable<readonly [id: string, name: string]>,
    tell: (names: ReadonlyMap<string, string>) => void,
  ) {
    this.#all = all
    this.#tell = tell
  }

  /** Something may have changed. */
  look(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const names = [...this.#all()]
      const text = JSON.stringify(names)
      if (text === this.#told) return
      this.#told = text
      this.#tell(new Map(names))
    }, TELL_AFTER_MS).unref()
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}
