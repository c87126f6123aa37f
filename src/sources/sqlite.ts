/** A SQLite database of the host as a source: whole and of one moment, while others go on writing. */
import { openingError } from './refusal.ts'
import { refuseNeverRead } from './confine.ts'
import { onDisk, pathText, printable } from './paths.ts'
import { resolvePath } from './resolve.ts'
import { openSnapshot, type Snapshot } from './sqlite-snapshot.ts'
import { SourceError, type Opened, type SourceContext, type SourceEnd, type SourceLimits } from './source.ts'

export interface DatabaseSpec {
  readonly path: string
}

/**
 * Opens a database, whichever process writes it. It travels whole or not at all: windows and limits of logs do not apply.
 *
 * Throws a `SourceError`: `skipped` when absent, not permitted, no regular file, or on a mount that may never answer; `withheld` when it is
 * on the never-read list; `failed` on errors of the file system; `timeout` when the disk does not answer.
 */
export async function openDatabase(
  { path }: DatabaseSpec,
  ctx: SourceContext & { readonly limits: SourceLimits },
): Promise<Opened> {
  ctx.signal.throwIfAborted()
  refuseNeverRead(path)
  try {
    const { path: real, stats } = await resolvePath(ctx, path)
    if (!stats.isFile()) throw new SourceError('skipped', `${printable(path)} is not a regular file`)
    const patience = { ms: ctx.limits.stallMs, signal: ctx.signal }
    return await snapshotSource(await openSnapshot(pathText(onDisk(ctx, real)), { patience }), path, ctx.signal)
  } catch (error) {
    throw await openingError(ctx, path, error, false)
  }
}

/** A snapshot that somebody opened, as a source. */
export async function snapshotSource(snapshot: Snapshot, origin: string, signal: AbortSignal): Promise<Opened> {
  const { sizeBytes, mtimeMs, chunks } = snapshot
  const source = asSource(chunks, signal)
  // A generator that has not begun ends without its `finally`: it begins with an empty chunk.
  await source.next()
  return { sizeBytes, mtimeMs, origin, chunks: source }
}

async function* asSource(chunks: Snapshot['chunks'], signal: AbortSignal): Opened['chunks'] {
  const close = () => void chunks.return({ whole: false })
  signal.addEventListener('abort', close, { once: true })
  try {
    yield Buffer.alloc(0)
    let step = await chunks.next()
    for (; !step.done; step = await chunks.next()) yield step.value
    return asEnd(step.value)
  } finally {
    signal.removeEventListener('abort', close)
    await chunks.return({ whole: false })
  }
}

function asEnd({ whole, detail }: { whole: boolean; detail?: string }): SourceEnd {
  if (whole && detail === undefined) return { outcome: 'ok' }
  return { outcome: 'partial', detail: detail ?? 'the copy broke off' }
}
