/** What a daemon keeps, for a bundle that is made beside it: through its socket, and where it does not answer from the files. */
import { openingError } from '../sources/refusal.ts'
import { openSnapshot } from '../sources/sqlite-snapshot.ts'
import { snapshotSource } from '../sources/sqlite.ts'
import { SourceError, type Opened, type SourceEnd } from '../sources/source.ts'
import { getJson, openAnswer, primed, priming } from '../sources/unix-http.ts'
import type { RecordedContext } from '../collect/recorded.ts'

/** A daemon that does not say a word for so long is taken for hung: summary.txt waits for it, and the files tell the same. */
const PATIENCE_MS = 700

export interface Beside {
  /** The daemon's word, and where it does not answer, what the files tell; `why` says why not. */
  json(path: string, ctx: RecordedContext): Promise<unknown>
  through<T>(ask: () => Promise<T>, instead: (why: string) => Promise<T>): Promise<T>
  /** The copy of a database that `path` hands over, else one made of the file. */
  database(path: string, file: string, ctx: RecordedContext): Promise<Opened>
}

/** @param socket of the daemon, whether or not there is one. */
export function beside(socket: string): Beside {
  /** Why the daemon is not asked any more: the wait is for once. */
  let silent: string | undefined
  const through: Beside['through'] = async (ask, instead) => {
    if (silent === undefined) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof SourceError)) throw error
        // One that refuses is there, and may answer another question.
        if (error.outcome === 'failed') return instead(error.message)
        silent = error.message
      }
    }
    return instead(silent)
  }
  const json: Beside['json'] = (path, ctx) => getJson({ socket, path, timeoutMs: PATIENCE_MS }, ctx)
  return {
    json,
    through,
    database: (path, file, ctx) =>
      through(
        async () => {
          // A hung one is found out by a question that takes no time; the copy itself may be waited for as any source.
          await json('/health', ctx)
          return exportOf(socket, path, ctx)
        },
        (why) => copyOf(file, ctx, why),
      ),
  }
}

async function exportOf(socket: string, path: string, ctx: RecordedContext): Promise<Opened> {
  const { origin, sizeBytes, chunks } = await openAnswer({ socket, path, stream: true }, ctx)
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
