/** Where `diagd collect` puts the bundle: beside its place, and in it once it is whole. */
import { lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../collect/request.ts'
import type { Sink } from '../collect/types.ts'
import type { Io } from './io.ts'
import { print } from './io.ts'

export interface Output {
  readonly sink: Sink
  /** For people; undefined for stdout. */
  readonly name: string | undefined
  /** The bundle is whole: put it in its place. */
  finish(): Promise<void>
  /** There will be no bundle: leave nothing behind. */
  discard(): Promise<void>
}

/** @param file as the caller named it; a folder gets the default name. */
export async function openOutput(
  file: string | undefined,
  defaultName: string,
  io: Pick<Io, 'stdout'>,
): Promise<Output> {
  if (file === '-') return stdoutOutput(io)
  const wanted = file ?? defaultName
  const kind = await stat(wanted).catch(() => undefined)
  if (kind?.isDirectory()) return besideOutput(join(wanted, defaultName))
  if (kind && !kind.isFile()) return directOutput(wanted)
  // A link keeps pointing where it does; what it points to is replaced.
  return besideOutput(kind ? await realpath(wanted) : wanted)
}

function stdoutOutput({ stdout }: Pick<Io, 'stdout'>): Output {
  if (stdout.isTTY)
    throw new UsageError('output', '"-" is a terminal here; accepted: a file, or "-" into a pipe or a file')
  const sink = { write: (chunk: Buffer) => print(stdout, chunk) }
  return { sink, name: undefined, finish: async () => {}, discard: async () => {} }
}

/** A device or a FIFO is written to as it is; renaming over it would replace it. */
async function directOutput(path: string): Promise<Output> {
  const handle = await open(path, 'w')
  const close = () => handle.close()
  return { sink: fileSink(handle), name: path, finish: close, discard: close }
}

async function besideOutput(path: string): Promise<Output> {
  const part = join(dirname(path), `.${basename(path)}.part`)
  // A bundle is for its owner's eyes. Exclusive: two of them at once would write into each other.
  const handle = await open(part, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new Error(`${part} is there: another collect writes it, or a killed one left it behind; then remove it`)
    throw new Error(`${path} cannot be written: ${whyNot(error, path)}`)
  })
  return {
    sink: fileSink(handle),
    name: path,
    async finish() {
      // Whole on the disk, not only in the cache, before it gets the name that says so.
      await handle.sync()
      await handle.close()
      await mayBeReplaced(path)
      await rename(part, path)
    },
    async discard() {
      await handle.close().catch(() => {})
      await unlink(part).catch(() => {})
    },
  }
}

/** Nobody asked for the name that it has until it is whole. */
function whyNot({ code, message }: NodeJS.ErrnoException, path: string): string {
  const folder = dirname(path)
  if (code === 'ENOENT') return `there is no folder ${folder}`
  if (code === 'EACCES') return `you may not write in the folder ${folder}`
  return message.replace(/, open .*$/, '')
}

/**
 * Looked at again, right before: a device that came there meanwhile, or that went unseen, would be gone for the whole machine.
 * @throws Error when there is anything but a file.
 */
async function mayBeReplaced(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined)
  if (there && !there.isFile()) throw new Error(`${path} is no regular file, and is not replaced; accepted: a file`)
}

function fileSink(handle: FileHandle): Sink {
  return {
    async write(chunk) {
      let written = 0
      while (written < chunk.length) written += (await handle.write(chunk, written)).bytesWritten
    },
  }
}
