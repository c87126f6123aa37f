/** What was recorded, for a bundle that is made beside the daemon: through its socket, and where it does not answer from the files. */
import { join } from 'node:path'
import type { Recorded, RecordedContext } from '../collect/recorded.ts'
import type { RecordedEvent, RecordedFilter } from '../collector.ts'
import { openingError } from '../sources/refusal.ts'
import { openSnapshot } from '../sources/sqlite-snapshot.ts'
import { snapshotSource } from '../sources/sqlite.ts'
import { SourceError, type Opened, type SourceEnd } from '../sources/source.ts'
import { getJson, openAnswer, primed, priming } from '../sources/unix-http.ts'
import { createReadOnly } from './events/read-only.ts'
import { listSetAside } from './store/files.ts'

export interface BesideOptions {
  /** Of the daemon, whether or not there is one. */
  readonly socket: string
  readonly stateDir: string
  readonly bootId: string
}

/** A daemon that does not say a word for so long is taken for hung: summary.txt waits for it, and the files tell the same. */
const PATIENCE_MS = 700

export function recordedBeside({ socket, stateDir, bootId }: BesideOptions): Recorded {
  const path = join(stateDir, 'events.db')
  const readOnly = createReadOnly(path, bootId)
  /** Why the daemon is not asked any more: the wait is for once. */
  let silent: string | undefined
  const through = async <T>(ask: () => Promise<T>, instead: (why: string) => Promise<T>): Promise<T> => {
    if (silent === undefined) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof SourceError)) throw error
        silent = error.message
      }
    }
    return instead(silent)
  }
  return {
    origin: path,
    newest: (filter, ctx) =>
      through(
        () => newestOf(socket, filter, ctx),
        () => readOnly(filter, ctx),
      ),
    open: (ctx) =>
      through(
        () => exportOf(socket, ctx),
        (why) => copyOf(path, ctx, why),
      ),
    async setAside() {
      try {
        return listSetAside(path)
      } catch {
        return []
      }
    },
  }
}

async function newestOf(socket: string, filter: RecordedFilter, ctx: RecordedContext): Promise<RecordedEvent[]> {
  const { level, typePrefix, boot, limit } = filter
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ level, type: typePrefix, boot, limit }))
    if (value !== undefined) query.set(name, String(value))
  const path = `/events?${query.toString()}`
  const { events } = (await getJson({ socket, path, timeoutMs: PATIENCE_MS }, ctx)) as {
    events: (Omit<RecordedEvent, 'timeMs'> & { readonly time: string })[]
  }
  return events.map((event) => Object.assign(event, { timeMs: Date.parse(event.time) }))
}

async function exportOf(socket: string, ctx: RecordedContext): Promise<Opened> {
  // A hung one is found out by a question that takes no time; the copy itself may be waited for as any source.
  await getJson({ socket, path: '/health', timeoutMs: PATIENCE_MS }, ctx)
  const { origin, sizeBytes, chunks } = await openAnswer({ socket, path: '/events/export', stream: true }, ctx)
  const source = await primed(toItsEnd(chunks))
  return { origin, chunks: source, ...(sizeBytes === undefined ? {} : { sizeBytes }) }
}

async function* toItsEnd(chunks: AsyncGenerator<Buffer, void, void>): AsyncGenerator<Buffer, SourceEnd, void> {
  try {
    yield priming
    yield* chunks
    return { outcome: 'ok' }
  } finally {
    await chunks.return()
  }
}

/** From the files, whoever writes them. */
async function copyOf(path: string, ctx: RecordedContext, why: string): Promise<Opened> {
  try {
    const patience = { ms: ctx.limits.stallMs, signal: ctx.signal }
    return await snapshotSource(await openSnapshot(path, { patience }), path, ctx.signal)
  } catch (error) {
    const said = await openingError(ctx, path, error, false)
    if (!(said instanceof SourceError)) throw said
    throw new SourceError(said.outcome, `no diagd to ask (${why}), and ${said.message}`, { cause: said })
  }
}
