/** A regular file, opened so that nothing else can be opened in its place. */
import { constants } from 'node:fs'
import { open, readlink, type FileHandle } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { confine, refuseNeverRead, type Confinement } from './confine.ts'
import { mountTable } from './mounts.ts'
import { onDisk, pathBytes, pathText, printable } from './paths.ts'
import { patiently, type Patience } from './patience.ts'
import { accessError, errorCode, kindOf } from './refusal.ts'
import { resolvePath } from './resolve.ts'
import { SourceError, type SourceContext } from './source.ts'

const kindNames = {
  file: 'a file',
  directory: 'a directory',
  link: 'a link',
  socket: 'a socket',
  fifo: 'a FIFO',
  device: 'a device',
}

/** O_NONBLOCK: a FIFO put in place of the file must not block. O_NOATIME: reading leaves no trace, where we may. */
const quietly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOATIME

/**
 * Opens the regular file a path leads to.
 *
 * Throws a `SourceError` (`withheld`, `skipped`, `failed`, `timeout`), a `DangerousMountError`, or an error of the file
 * system where nothing is known about it yet but its code.
 */
export async function openRegular(ctx: SourceContext, asked: Confinement, stallMs: number): Promise<RegularFile> {
  refuseNeverRead(asked.path)
  const { path, stats } = await resolvePath(ctx, asked.path)
  await confine(ctx, path, asked)
  refuseKind(asked.path, stats)
  const patience = { ms: stallMs, signal: ctx.signal }
  const handle = await patiently(openQuietly(ctx, path), printable(path), patience, (late) => late.close())
  try {
    const opened = await handle.stat()
    refuseKind(asked.path, opened)
    const real = await openedPath(ctx, handle, path)
    if (real !== path) await confine(ctx, real, asked)
    const isView = (await mountTable(ctx)).isView(path)
    return new RegularFile(handle, { path: asked.path, stats: opened, isView, patience })
  } catch (error) {
    await handle.close()
    throw error
  }
}

interface RegularFacts {
  readonly path: string
  readonly stats: Stats
  readonly isView: boolean
  readonly patience: Patience
}

export class RegularFile {
  /** As it was asked for. */
  readonly path: string
  /** When it was opened. */
  readonly sizeBytes: number
  readonly mtimeMs: number
  readonly inode: number
  /** What it takes on the disk; far less than its size when it has holes. */
  readonly allocatedBytes: number
  /** A view of the kernel: its size means nothing. */
  readonly isView: boolean
  readonly #handle: FileHandle
  readonly #patience: Patience
  #reading = false
  #closing: Promise<void> | undefined

  constructor(handle: FileHandle, { path, stats, isView, patience }: RegularFacts) {
    this.path = path
    this.sizeBytes = stats.size
    this.mtimeMs = stats.mtimeMs
    this.inode = stats.ino
    this.allocatedBytes = stats.blocks * 512
    this.isView = isView
    this.#handle = handle
    this.#patience = patience
  }

  /** Reads once, at `position` or (null) where the last such read ended. 0 at the end of the file. */
  async read(buffer: Buffer, length: number, position: number | null): Promise<number> {
    this.#reading = true
    const reading = this.#handle.read(buffer, 0, Math.min(length, buffer.length), position).finally(() => {
      this.#reading = false
    })
    return (await patiently(reading, printable(this.path), this.#patience)).bytesRead
  }

  /** Reads a part into a buffer of its own; shorter only at the end of the file. */
  async readAt(position: number, length: number): Promise<Buffer> {
    const part = Buffer.allocUnsafe(Math.min(length, Math.max(0, this.sizeBytes - position)))
    let filled = 0
    while (filled < part.length) {
      const count = await this.read(part.subarray(filled), part.length - filled, position + filled)
      if (count === 0) break
      filled += count
    }
    return part.subarray(0, filled)
  }

  async sizeNow(): Promise<number> {
    return (await patiently(this.#handle.stat(), printable(this.path), this.#patience)).size
  }

  /** A read that never returned keeps its descriptor: it is closed if the read ever comes back. */
  async close(): Promise<void> {
    this.#closing ??= this.#handle.close()
    if (this.#reading) this.#closing.catch(() => {})
    else await this.#closing
  }

  /** Whether nobody wants it any more. */
  get aborted(): boolean {
    return this.#patience.signal.aborted
  }
}

/** A regular file, else `skipped`, naming what it is. */
function refuseKind(path: string, stats: Stats): void {
  if (stats.isFile()) return
  throw new SourceError('skipped', `${printable(path)} is ${kindNames[kindOf(stats)]}, not a regular file`)
}

async function openQuietly(ctx: SourceContext, path: string): Promise<FileHandle> {
  try {
    return await open(onDisk(ctx, path), quietly)
  } catch (error) {
    // Only the owner and root may read without a trace.
    if (errorCode(error) !== 'EPERM') throw await openError(ctx, path, error)
  }
  try {
    return await open(onDisk(ctx, path), quietly & ~constants.O_NOATIME)
  } catch (error) {
    throw await openError(ctx, path, error)
  }
}

async function openError(ctx: SourceContext, path: string, error: unknown): Promise<unknown> {
  if (errorCode(error) !== 'ELOOP') return accessError(ctx, path, error)
  return new SourceError('failed', `${printable(path)} became a link while it was opened`, { cause: error })
}

/**
 * The path of what was really opened: a folder on the way may have been swapped for a link since it was looked at.
 * A file renamed or deleted since (log rotation) is still the one that was meant.
 */
async function openedPath(ctx: SourceContext, handle: FileHandle, expected: string): Promise<string> {
  const bytes = await readlink(`/proc/self/fd/${handle.fd}`, { encoding: 'buffer' }).catch(() => undefined)
  if (!bytes) return expected
  const { root } = await mountTable(ctx)
  const path = pathText(bytes)
  if (!path.startsWith(`${root}/`)) return path
  const onHost = path.slice(root.length)
  const deleted = pathBytes(`${expected} (deleted)`)
  return pathBytes(onHost).equals(deleted) ? expected : onHost
}
