/** The files of one log, from the outside: which there are, what they hold, where the newest ends. Reading alone. */
import { closeSync, fstatSync, openSync, readSync, readdirSync } from 'node:fs'
import { decodeHeader, HEADER_READ_BYTES, inflateSegment, type SegmentPlace } from './segment.ts'

export interface LogFile {
  readonly path: string
  /** Of its first segment. */
  readonly number: number
}

export interface FoundSegment extends SegmentPlace {
  /** From the beginning of the file. */
  readonly at: number
}

const NAME = /^log-(\d{8})\.gz$/

export function logPath(folder: string, number: number): string {
  return `${folder}/log-${String(number).padStart(8, '0')}.gz`
}

/** The oldest first. */
export function listLogFiles(folder: string): LogFile[] {
  return logFilesAmong(readdirSync(folder), folder)
}

export function logFilesAmong(names: readonly string[], folder: string): LogFile[] {
  const numbers = names.map((name) => NAME.exec(name)?.[1]).filter((digits) => digits !== undefined)
  return numbers
    .toSorted()
    .map(Number)
    .map((number) => ({ path: logPath(folder, number), number }))
}

/** A file of segments, open for reading. */
export class LogFileReader {
  readonly #fd: number
  readonly sizeBytes: number

  /** @throws ErrnoException */
  constructor(path: string) {
    this.#fd = openSync(path, 'r')
    this.sizeBytes = fstatSync(this.#fd).size
  }

  /** The segments from the first on, up to the first that is not whole. */
  *segments(): Generator<FoundSegment, void, void> {
    let number: number | undefined
    for (let at = 0; at < this.sizeBytes;) {
      const place = decodeHeader(this.read(at, HEADER_READ_BYTES))
      if (!place || at + place.memberBytes > this.sizeBytes) return
      if (number !== undefined && place.facts.number !== number + 1) return
      number = place.facts.number
      yield { ...place, at }
      at += place.memberBytes
    }
  }

  deflated({ at, deflateAt, facts }: FoundSegment): Buffer {
    return this.read(at + deflateAt, facts.deflatedBytes)
  }

  isWhole(segment: FoundSegment): boolean {
    try {
      inflateSegment({ ...segment.facts, bytes: this.deflated(segment) })
      return true
    } catch {
      return false
    }
  }

  /** Shorter where the file ends. */
  read(at: number, bytes: number): Buffer {
    const buffer = Buffer.allocUnsafeSlow(bytes)
    let length = 0
    while (length < bytes) {
      const count = readSync(this.#fd, buffer, length, bytes - length, at + length)
      if (count === 0) break
      length += count
    }
    return buffer.subarray(0, length)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** The segments of a file that are whole, and what stands behind them. */
export function scanLogFile(path: string): { segments: FoundSegment[]; endBytes: number; tornBytes: number } {
  const file = new LogFileReader(path)
  try {
    const segments = [...file.segments()]
    // Those before the last were there when it was begun; of the last, the data may be missing though its length is right.
    const last = segments.at(-1)
    if (last && !file.isWhole(last)) segments.pop()
    const kept = segments.at(-1)
    const endBytes = kept ? kept.at + kept.memberBytes : 0
    return { segments, endBytes, tornBytes: file.sizeBytes - endBytes }
  } finally {
    file.close()
  }
}
