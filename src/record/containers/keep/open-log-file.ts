/** A file of segments as whoever reads it has it: nothing waits for the disk but who asked. The thread that writes has its own (log-files.ts). */
import type { Stats } from 'node:fs'
import { open, readdir, readFile, type FileHandle } from 'node:fs/promises'
import { logFilesAmong, type FoundSegment, type LogFile } from './log-files.ts'
import { decodeHeader, HEADER_READ_BYTES } from './segment.ts'
import { decodeTail, lastHead, tailPath, type Tail, type TailHead } from './tail-file.ts'

export class OpenLogFile implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #sizeBytes: number
  readonly writtenMs: number

  private constructor(file: FileHandle, { size, mtimeMs }: Stats) {
    this.#file = file
    this.#sizeBytes = size
    this.writtenMs = mtimeMs
  }

  /** undefined when the room was needed meanwhile. @throws ErrnoException */
  static async open(path: string): Promise<OpenLogFile | undefined> {
    const file = await unlessGone(open(path, 'r'))
    if (!file) return undefined
    try {
      return new OpenLogFile(file, await file.stat())
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** The segments from the first on, up to the first that is not whole. */
  async *segments(): AsyncGenerator<FoundSegment, void, void> {
    let number: number | undefined
    for (let at = 0; at < this.#sizeBytes;) {
      const place = decodeHeader(await this.#read(at, HEADER_READ_BYTES))
      if (!place || at + place.memberBytes > this.#sizeBytes) return
      if (number !== undefined && place.facts.number !== number + 1) return
      number = place.facts.number
      yield { ...place, at }
      at += place.memberBytes
    }
  }

  deflated({ at, deflateAt, facts }: FoundSegment): Promise<Buffer> {
    return this.#read(at + deflateAt, facts.deflatedBytes)
  }

  /** Of a tail: from the end of the file; undefined when a write was cut off there. */
  async lastHead(): Promise<TailHead | undefined> {
    const size = this.#sizeBytes
    return lastHead(await this.#read(Math.max(0, size - 8), 8), (at, bytes) => this.#read(at, bytes), size)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }

  /** Shorter where the file ends. */
  async #read(at: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(bytes)
    let length = 0
    while (length < bytes) {
      const { bytesRead } = await this.#file.read(buffer, length, bytes - length, at + length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return buffer.subarray(0, length)
  }
}

/** The oldest first; none when there is no folder. @throws ErrnoException */
export async function logFilesIn(folder: string): Promise<LogFile[]> {
  return logFilesAmong((await unlessGone(readdir(folder))) ?? [], folder)
}

/** As `readTail`. @throws ErrnoException */
export async function tailIn(folder: string, number: number): Promise<Tail | undefined> {
  const bytes = await unlessGone(readFile(tailPath(folder, number)))
  return bytes && decodeTail(bytes)
}

/** undefined when it does not exist. @throws any other ErrnoException */
export async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
