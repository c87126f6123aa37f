/**
 * Which secret values were known when: a segment tells how many were, so that whoever reads it knows which of today's were not looked for in it.
 * Kept are their first 16 bytes of HMAC-SHA256 with the key of the node, in the order in which they became known. The event loop asks for it, so
 * nothing here waits for a disk.
 */
import { createHmac } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const BYTES = 16
/** A machine that makes thousands of containers with secrets of their own: then the first are forgotten, and looked for again. */
const MOST = 100_000
/** In the place of one that is forgotten before its turn. */
const NONE = '\0'.repeat(BYTES)

/** The file begins with the number of values that were forgotten, as text of `BYTES` digits. */
function pathOf(folder: string): string {
  return join(folder, 'values')
}

export class KnownValues {
  readonly #folder: string
  readonly #key: Uint8Array
  readonly #most: number
  readonly #numbers = new Map<string, number>()
  /** Of those that were looked for lately. */
  readonly #digests = new Map<string, string>()
  #forgotten = 0
  #count = 0
  #waiting = new Set<string>()
  #next: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()

  private constructor(folder: string, key: Uint8Array, most: number) {
    this.#folder = folder
    this.#key = key
    this.#most = most
  }

  /** `folder`: `<state>/containers`. @throws ErrnoException */
  static async read(folder: string, key: Uint8Array, most = MOST): Promise<KnownValues> {
    const values = new KnownValues(folder, key, most)
    const bytes = await read(folder)
    if (!bytes) return values
    values.#forgotten = Number(bytes.toString('latin1', 0, BYTES))
    values.#count = values.#forgotten
    for (let at = BYTES; at + BYTES <= bytes.length; at += BYTES) {
      const digest = bytes.toString('latin1', at, at + BYTES)
      if (digest !== NONE) values.#numbers.set(digest, values.#count)
      values.#count += 1
    }
    return values
  }

  get count(): number {
    return this.#count
  }

  /** Keeps those that are new. Rejects with an ErrnoException: then a text that is masked with them counts as masked without. */
  add(values: Iterable<string>): Promise<void> {
    for (const value of values) if (!this.#numbers.has(this.#digest(value))) this.#waiting.add(this.#digest(value))
    if (this.#waiting.size === 0 && !this.#next) return this.#last
    this.#next ??= this.#last.then(() => {
      const fresh = [...this.#waiting]
      this.#waiting = new Set()
      this.#next = undefined
      return this.#append(fresh.filter((digest) => !this.#numbers.has(digest)))
    })
    this.#last = this.#next.catch(() => {})
    return this.#next
  }

  /** What a text is masked with that these are looked for in: all values before this number are among them. */
  knownTo(values: Iterable<string>): number {
    const there = new Set(Array.from(values, (value) => this.#digest(value)))
    for (const [digest, number] of this.#numbers) if (!there.has(digest)) return number
    return this.#count
  }

  /** The least number with which a text was masked for all of these; Infinity when one of them was never looked for. */
  covering(values: readonly string[]): number {
    return values.reduce((most, value) => Math.max(most, (this.#numbers.get(this.#digest(value)) ?? Infinity) + 1), 0)
  }

  /** Forgets those that nobody looks for any more: should one come back, it is new. Rejects with an ErrnoException. */
  async keepOnly(values: Iterable<string>): Promise<void> {
    await this.add([])
    const wanted = new Set(Array.from(values, (value) => this.#digest(value)))
    const left = [...this.#numbers].filter(([digest]) => !wanted.has(digest) && !this.#waiting.has(digest))
    if (left.length === 0) return
    this.#last = this.#last.then(() => this.#forget(left)).catch(() => {})
    await this.#last
  }

  /** Those that were not looked for in a text that was masked when so many were known. */
  unknownThen(count: number, values: readonly string[]): string[] {
    return values.filter((value) => (this.#numbers.get(this.#digest(value)) ?? Infinity) >= count)
  }

  async #append(fresh: readonly string[]): Promise<void> {
    if (fresh.length === 0) return
    const kept = this.#count - this.#forgotten
    const isFull = kept + fresh.length > this.#most
    await this.#write(async (file) => {
      if (isFull) await file.truncate(0)
      if (isFull || this.#count === 0) await file.write(head(this.#count), 0, BYTES, 0)
      await file.write(Buffer.from(fresh.join(''), 'latin1'), 0, undefined, isFull ? BYTES : BYTES + kept * BYTES)
    })
    if (isFull) {
      this.#forgotten = this.#count
      this.#numbers.clear()
    }
    for (const one of fresh) this.#numbers.set(one, this.#count++)
  }

  async #forget(left: readonly (readonly [digest: string, number: number])[]): Promise<void> {
    await this.#write(async (file) => {
      for (const [, number] of left)
        await file.write(Buffer.from(NONE, 'latin1'), 0, BYTES, BYTES + (number - this.#forgotten) * BYTES)
    })
    for (const [digest] of left) this.#numbers.delete(digest)
  }

  async #write(write: (file: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o750 })
    const file = await open(pathOf(this.#folder), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o640)
    try {
      await write(file)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  #digest(value: string): string {
    const known = this.#digests.get(value)
    if (known !== undefined) return known
    const digest = createHmac('sha256', this.#key).update(value).digest().toString('latin1', 0, BYTES)
    this.#digests.set(value, digest)
    return digest
  }
}

async function read(folder: string): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(pathOf(folder))
    return /^\d{16}$/.test(bytes.toString('latin1', 0, BYTES)) ? bytes : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function head(forgotten: number): Buffer {
  return Buffer.from(String(forgotten).padStart(BYTES, '0'), 'latin1')
}
