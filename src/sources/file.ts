/** A file of the host as a source. */
import { dirname } from 'node:path'
import type { Interval } from '../collector.ts'
import { openCommand } from './command.ts'
import { confine, refuseNeverRead, type Confinement } from './confine.ts'
import { codecOf, magicBytes } from './decompress.ts'
import { deliver, deliverView } from './deliver.ts'
import { deliverUnpacked } from './deliver-unpacked.ts'
import { keepEnds, limitLog, type Limited } from './limit-log.ts'
import { lineTimes } from './log-times.ts'
import { DangerousMountError } from './mounts.ts'
import { printable } from './paths.ts'
import { overLimit, type Piece } from './pieces.ts'
import { openingError } from './refusal.ts'
import { openRegular, type RegularFile } from './regular.ts'
import { OutsideWindow, SourceError, type Opened, type SourceContext, type SourceLimits } from './source.ts'
import { spanPieces, windowSpans } from './window-spans.ts'

export interface FileSpec {
  readonly path: string
  /** Other folders a link may lead under. */
  readonly within?: readonly string[]
  /** A log: only what falls into the window. */
  readonly windowed: boolean
  /** The folder its real path must stay under; the file's own folder when absent. */
  readonly root?: string
  /** A glob has seen it a moment ago: its absence is a failure. */
  readonly listed?: boolean
}

export type FileContext = SourceContext & { readonly limits: SourceLimits }

/** Holes that are larger than this are no contents even with no limit: lastlog with large user ids is 1 TB of them. */
const mostHoleBytes = 64 * 1024 ** 3
/** A file that takes less of the disk than this part of its size is mostly holes; no compression gets there. */
const sparseRatio = 64

/**
 * Opens a regular file.
 *
 * Throws a `SourceError`: `skipped` when absent, not permitted, no regular file, or outside the window; `withheld` when it is
 * on the never-read list, a link out of its folder, or compressed in a way we cannot mask; `failed` when it vanished
 * after it was listed, or on errors of the file system; `timeout` when the disk does not answer.
 */
export async function openFile(spec: FileSpec, ctx: FileContext): Promise<Opened> {
  const asked = { path: spec.path, root: spec.root ?? dirname(spec.path), within: spec.within ?? [] }
  ctx.signal.throwIfAborted()
  try {
    const file = await openRegular(ctx, asked, ctx.limits.stallMs)
    return await described(file, spec, ctx)
  } catch (error) {
    if (error instanceof DangerousMountError) return readByChild(asked, error, ctx)
    throw await openingError(ctx, spec.path, error, spec.listed ?? false)
  }
}

/** What will be delivered; the file is closed if that cannot be told. */
async function described(file: RegularFile, spec: FileSpec, ctx: FileContext): Promise<Opened> {
  try {
    const facts = { origin: spec.path, mtimeMs: file.mtimeMs }
    if (file.isView)
      return { origin: spec.path, chunks: await closing(file, deliverView(file, ctx.limits.entryBytes), ctx.signal) }
    const intervals = spec.windowed ? await ctx.intervals() : []
    refuseOld(file, intervals)
    const codec = codecOf(await file.readAt(0, magicBytes), spec.path)
    if (codec && !codec.known) {
      throw new SourceError('withheld', `${printable(spec.path)} is compressed: unknown codec ${codec.name}`)
    }
    if (codec?.known) {
      const lineTime = lineTimes({ timeZone: ctx.timeZone, mtimeMs: file.mtimeMs })
      const chunks = deliverUnpacked(file, codec.name, { intervals, lineTime, limits: ctx.limits })
      return { ...facts, chunks: await closing(file, chunks, ctx.signal) }
    }
    const limited = await chosen(file, intervals, ctx)
    const { sizeBytes, chunks } = deliver(file, { ...limited, growthIsNormal: spec.windowed })
    return { ...facts, sizeBytes, chunks: await closing(file, chunks, ctx.signal) }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** What of the file is wanted, in the window and within the limits. */
async function chosen(file: RegularFile, intervals: readonly Interval[], ctx: FileContext) {
  const readAt = (position: number, length: number) => file.readAt(position, length)
  const { entryBytes, headBytes } = ctx.limits
  if (isSparse(file, entryBytes)) return sparseEnds(file, headBytes)
  const whole: Piece[] = [{ from: 0, to: file.sizeBytes }]
  const pieces = intervals.length > 0 ? await insideWindow(file, intervals, ctx) : whole
  const limited = await limitLog(pieces, entryBytes, headBytes, readAt)
  if (limited.cutBytes === 0) return limited
  return { ...limited, detail: `${overLimit(entryBytes)}: ${limited.cutBytes} bytes of the middle left out` }
}

async function insideWindow(file: RegularFile, intervals: readonly Interval[], ctx: FileContext): Promise<Piece[]> {
  const { sizeBytes, mtimeMs } = file
  const lineTime = lineTimes({ timeZone: ctx.timeZone, mtimeMs })
  const readAt = (position: number, length: number) => file.readAt(position, length)
  const spans = await windowSpans({ readAt, sizeBytes, mtimeMs, lineTime }, intervals)
  if (spans?.length === 0) throw new OutsideWindow(`no line of ${printable(file.path)} falls into the window`)
  return spanPieces(spans ?? [{ from: 0, to: sizeBytes }], sizeBytes)
}

function refuseOld(file: RegularFile, intervals: readonly Interval[]): void {
  if (intervals.length === 0 || intervals.some(({ sinceMs }) => file.mtimeMs >= sinceMs)) return
  throw new OutsideWindow(`last written ${new Date(file.mtimeMs).toISOString()}, before the window`)
}

function isSparse({ sizeBytes, allocatedBytes }: RegularFile, entryBytes: number): boolean {
  return sizeBytes > Math.min(entryBytes, mostHoleBytes) && allocatedBytes < sizeBytes / sparseRatio
}

async function sparseEnds(file: RegularFile, headBytes: number): Promise<Limited & { detail: string }> {
  const detail = `sparse: ${file.sizeBytes} bytes apparent, ${file.allocatedBytes} allocated; only its ends are here`
  const keep = { totalBytes: 2 * headBytes, headBytes, why: 'a sparse file' }
  const readAt = (position: number, length: number) => file.readAt(position, length)
  return { ...(await keepEnds([{ from: 0, to: file.sizeBytes }], keep, readAt)), detail }
}

/** The chunks, and the file closed behind them: at their end, by `return()`, or when nobody wants them any more. */
async function closing(file: RegularFile, chunks: Opened['chunks'], signal: AbortSignal): Promise<Opened['chunks']> {
  const started = closed(file, chunks, signal)
  // A generator that has not begun ends without its `finally`: begin it.
  await started.next()
  return started
}

async function* closed(file: RegularFile, chunks: Opened['chunks'], signal: AbortSignal): Opened['chunks'] {
  const close = () => void file.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    yield Buffer.alloc(0)
    return yield* chunks
  } finally {
    signal.removeEventListener('abort', close)
    await file.close()
  }
}

/** A file on a mount that may never answer is read by a child, which can be left behind. */
async function readByChild(
  asked: Confinement,
  { mount, path }: DangerousMountError,
  ctx: FileContext,
): Promise<Opened> {
  refuseNeverRead(asked.path)
  await confine(ctx, path, asked)
  const named = printable(path)
  if (mount.type === 'autofs') {
    throw new SourceError('skipped', `${named} is on an autofs mount (${mount.mountPoint}): asking would mount it`)
  }
  if (!path.isWellFormed())
    throw new SourceError('skipped', `${named} is on a ${mount.type} mount, and its name is not UTF-8`)
  const argv = ['dd', `if=${ctx.root}${path}`, 'iflag=nofollow,nonblock', 'bs=64k', 'status=none']
  return { ...(await openCommand({ argv }, ctx)), origin: asked.path }
}
