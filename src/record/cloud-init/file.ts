/** A log file that grows, read from where it was left: by inode and offset, through rotation and truncation. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Where it was left. */
export interface Place {
  readonly inode: number
  /** Behind the last whole line that was read. */
  readonly offset: number
  /** Of its first bytes, `headBytes` of them: an inode can be that of a new file. */
  readonly head: string
  readonly headBytes: number
}

export interface Part {
  readonly lines: readonly string[]
  /** Where to go on. */
  readonly place: Place
  /** Something between the place and these lines is gone. */
  readonly hole: boolean
}

const HEAD_BYTES = 256
const PART_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** Whole lines after the place, at most 256 KiB of them; undefined when there are none (yet), or no file. */
export async function readOn(path: string, place: Place | undefined): Promise<Part | undefined> {
  await using file = await openRegular(path)
  if (file === undefined) return undefined
  if (place === undefined) return await readPart(file, 0, false)
  if (await isAt(file, place)) return await readPart(file, place.offset, false)
  const rest = await readRotated(path, place)
  if (rest === 'gone') return await readPart(file, 0, true)
  return rest ?? (await readPart(file, 0, false))
}

/** What was written to the file between the last look and its rotation. `gone`: it cannot be found any more. */
async function readRotated(path: string, place: Place): Promise<Part | 'gone' | undefined> {
  const folder = dirname(path)
  const names = (await readdir(folder)).filter((name) => name.startsWith(basename(path)) && name !== basename(path))
  for (const name of names) {
    await using file = await openRegular(join(folder, name))
    if (file !== undefined && (await isAt(file, place))) return await readPart(file, place.offset, false)
  }
  return 'gone'
}

async function readPart(file: FileHandle, offset: number, hole: boolean): Promise<Part | undefined> {
  const buffer = Buffer.alloc(PART_BYTES)
  const { bytesRead } = await file.read(buffer, 0, PART_BYTES, offset)
  const newline = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1
  // A line longer than a part is none that anybody wants.
  const end = newline === 0 && bytesRead === PART_BYTES ? PART_BYTES : newline
  if (end === 0) return undefined
  const { ino } = await file.stat()
  const next = offset + end
  const headBytes = Math.min(next, HEAD_BYTES)
  const place = { inode: ino, offset: next, headBytes, head: await headOf(file, headBytes) }
  return { lines: buffer.toString('utf8', 0, end).split('\n').slice(0, -1), place, hole }
}

async function isAt(file: FileHandle, { inode, offset, head, headBytes }: Place): Promise<boolean> {
  const { ino, size } = await file.stat()
  return ino === inode && size >= offset && (await headOf(file, headBytes)) === head
}

async function headOf(file: FileHandle, bytes: number): Promise<string> {
  const buffer = Buffer.alloc(bytes)
  const { bytesRead } = await file.read(buffer, 0, bytes, 0)
  return createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex').slice(0, 16)
}

async function openRegular(path: string): Promise<FileHandle | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined)
  if (file === undefined || (await file.stat()).isFile()) return file
  await file.close()
  return undefined
}
