/**
 * Which secret values were known when: a segment tells how many were, so that whoever reads it knows which of today's were not looked for in it.
 * Kept are their first 16 bytes of HMAC-SHA256 with the key of the node, in the order in which they became known.
 */
import { createHmac } from 'node:crypto'
import { closeSync, fsyncSync, ftruncateSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, openOwn, writeAll } from './disk.ts'

const BYTES = 16
/** A machine that makes thousands of containers with secrets of their own: then the first are forgotten, and looked for again. */
const MOST = 100_000

/** The file begins with the number of values that were forgotten, as text of `BYTES` digits. */
function pathOf(folder: string): string {
  return join(folder, 'values')
}

export class KnownValues {
  readonly #folder: string
  readonly #key: Uint8Array
  readonly #most: number
  readonly #numbers = new Map<string, number>()
  #forgotten = 0
  #count = 0

  /** `folder`: `<state>/containers`. */
  constructor(folder: string, key: Uint8Array, most = MOST) {
    this.#folder = folder
    this.#key = key
    this.#most = most
    const bytes = read(folder)
    if (!bytes) return
    this.#forgotten = Number(bytes.toString('latin1', 0, BYTES))
    this.#count = this.#forgotten
    for (let at = BYTES; at + BYTES <= bytes.length; at += BYTES)
      this.#numbers.set(bytes.toString('latin1', at, at + BYTES), this.#count++)
  }

  /** How many are known: what a text is masked with now. */
  get count(): number {
    return this.#count
  }

  /** Keeps those that are new. @throws ErrnoException: then a text that is masked with them counts as masked without. */
  add(values: Iterable<string>): void {
    const fresh = [...new Set([...values].map((value) => this.#digest(value)))].filter((one) => !this.#numbers.has(one))
    if (fresh.length === 0) return
    makeFolder(this.#folder)
    const fd = openOwn(pathOf(this.#folder))
    try {
      const at = BYTES + (this.#count - this.#forgotten) * BYTES
      if (this.#count - this.#forgotten + fresh.length > this.#most) return this.#begin(fd, fresh)
      if (this.#count === 0) writeAll(fd, head(0), 0)
      writeAll(fd, Buffer.from(fresh.join(''), 'latin1'), at)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    for (const one of fresh) this.#numbers.set(one, this.#count++)
  }

  /** Those that were not looked for in a text that was masked when so many were known. */
  unknownThen(count: number, values: readonly string[]): string[] {
    return values.filter((value) => (this.#numbers.get(this.#digest(value)) ?? Infinity) >= count)
  }

  #begin(fd: number, fresh: readonly string[]): void {
    ftruncateSync(fd, 0)
    writeAll(fd, Buffer.concat([head(this.#count), Buffer.from(fresh.join(''), 'latin1')]), 0)
    fsyncSync(fd)
    this.#forgotten = this.#count
    this.#numbers.clear()
    for (const one of fresh) this.#numbers.set(one, this.#count++)
  }

  #digest(value: string): string {
    return createHmac('sha256', this.#key).update(value).digest().toString('latin1', 0, BYTES)
  }
}

function read(folder: string): Buffer | undefined {
  try {
    const bytes = readFileSync(pathOf(folder))
    return /^\d{16}$/.test(bytes.toString('latin1', 0, BYTES)) ? bytes : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function head(forgotten: number): Buffer {
  return Buffer.from(String(forgotten).padStart(BYTES, '0'), 'latin1')
}
