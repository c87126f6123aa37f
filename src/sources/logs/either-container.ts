/** The log of a container that an engine has, and where the engine cannot go on, what is kept of it: places are the same in both. */
import { SourceError } from '../source.ts'
import type { LogBatches, LogContext, LogSource, LogSpan } from './line.ts'

/** @param findKept asked when it is needed; undefined when nothing is kept. */
export function eitherContainerSource(
  engine: LogSource,
  findKept: (ctx: LogContext) => Promise<LogSource | undefined>,
): LogSource {
  return {
    ...engine,
    async *read(span, ctx) {
      const passed = new Passed(span)
      try {
        return yield* passed.along(engine.read(span, ctx))
      } catch (error) {
        ctx.signal.throwIfAborted()
        const kept = await findKept(ctx)
        if (!kept) throw error
        return bothEnds(error, yield* kept.read({ ...span, after: passed.place }, ctx))
      }
    },
    /** What is kept may have its last words, of which an engine that removes it leaves nobody the time to read them. */
    async *follow(from, ctx) {
      const passed = new Passed({ ...from, direction: 'forward' })
      let failed: unknown
      let end: string | void = undefined
      try {
        end = yield* passed.along(engine.follow(from, ctx))
      } catch (error) {
        failed = error
      }
      ctx.signal.throwIfAborted()
      const kept = await findKept(ctx)
      if (kept) yield* kept.follow({ ...from, ...(passed.place !== undefined && { after: passed.place }) }, ctx)
      if (failed !== undefined && !isGone(failed)) throw failed
      return end
    },
  }
}

/** Where the reading of a log has come to. */
class Passed {
  place: string | undefined
  readonly #direction: LogSpan['direction']

  constructor({ direction, after }: Pick<LogSpan, 'direction' | 'after'>) {
    this.#direction = direction
    this.place = after
  }

  async *along(batches: LogBatches): LogBatches {
    try {
      let step = await batches.next()
      for (; !step.done; step = await batches.next()) {
        this.place = step.value.at(this.#direction === 'forward' ? -1 : 0)?.place ?? this.place
        yield step.value
      }
      return step.value
    } finally {
      await batches.return(undefined)
    }
  }
}

function bothEnds(error: unknown, end: string | void): string | undefined {
  const { message } = error as Error
  return [!isGone(error) && `${message}; what follows is what was kept`, end].filter(Boolean).join('; ') || undefined
}

/** The engine has it no more: nothing is wrong. */
function isGone(error: unknown): boolean {
  return error instanceof SourceError && /no such container/i.test(error.message)
}
