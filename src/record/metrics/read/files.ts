/**
 * Files of /proc and /sys below a root, read into one buffer that is used again and again. What is not there is
 * undefined; what is there and cannot be read is an error.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'

export interface Files {
  /** '' for this machine. */
  readonly root: string
  /** The bytes of a file; they hold until the next one is read. */
  bytes(path: string): Buffer | undefined
  /** The same as text, a character for each byte. */
  text(path: string): string | undefined
  /** The same with one read less, for files that the kernel makes in one piece and that are short. */
  line(path: string): string | undefined
  /** The names in a folder; none when there is none. */
  names(path: string): string[]
}

const FIRST_BYTES = 64 * 1024
/** mountinfo of a host with thousands of containers is of that order; a file that goes on has no place in a sample. */
const MOST_BYTES = 8 * 1024 * 1024

/** No such file; its process, control group or device is gone; the kernel was built or started without it. */
const absent: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ESRCH', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP'])

export function createFiles(root: string): Files {
  let buffer = Buffer.allocUnsafe(FIRST_BYTES)
  const fill = (path: string, whole: boolean): number => {
    const file = openSync(root + path, 'r')
    try {
      let length = 0
      for (;;) {
        const count = readSync(file, buffer, length, buffer.length - length, null)
        length += count
        if (count === 0 || !whole) return length
        if (length === buffer.length) buffer = grown(buffer)
      }
    } finally {
      closeSync(file)
    }
  }
  const text = (path: string, whole: boolean) =>
    unlessAbsent(path, () => {
      const length = fill(path, whole)
      return buffer.toString('latin1', 0, length)
    })
  return {
    root,
    bytes: (path) =>
      unlessAbsent(path, () => {
        const length = fill(path, true)
        return buffer.subarray(0, length)
      }),
    text: (path) => text(path, true),
    line: (path) => text(path, false),
    names: (path) => unlessAbsent(path, () => readdirSync(root + path)) ?? [],
  }
}

function grown(buffer: Buffer): Buffer<ArrayBuffer> {
  if (buffer.length >= MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES / 1024 / 1024} MiB`)
  const larger = Buffer.allocUnsafe(buffer.length * 4)
  buffer.copy(larger)
  return larger
}

function unlessAbsent<T>(path: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (absent.has(code)) return undefined
    throw new Error(`${path}: ${code === '' ? message : code}`, { cause: error })
  }
}
