/** A value made by the collector when its turn comes, as bytes. */
import { SourceError, type Opened, type SourceContext, type SourceEnd, type SourceLimits } from './source.ts'
import { patiently } from './patience.ts'

export type ValueSpec =
  | { kind: 'json'; make: () => unknown }
  | { kind: 'text'; make: () => string | Promise<string> | AsyncIterable<string> }

export async function openValue(spec: ValueSpec, ctx: SourceContext & { limits: SourceLimits }): Promise<Opened> {
  const value = await patiently((async () => spec.make())(), 'computing it', {
    ms: ctx.limits.commandMs,
    signal: ctx.signal,
  })
  if (spec.kind === 'json') return fromIterable([`${JSON.stringify(value ?? null, null, 2)}\n`], ctx)
  if (typeof value === 'string') return fromIterable([value], ctx)
  if (isAsyncIterable(value)) return fromIterable(value, ctx)
  throw new SourceError('failed', `a text has to be a string or yield strings, not ${typeof value}`)
}

function fromIterable(
  parts: Iterable<string> | AsyncIterable<string>,
  ctx: SourceContext & { limits: SourceLimits },
): Opened {
  return { origin: 'computed by diagd', chunks: bytes(parts, ctx) }
}

/** Large texts pass in pieces, so that the limit strikes before all of it is encoded. */
const PIECE_CHARACTERS = 64 * 1024

async function* bytes(
  parts: Iterable<string> | AsyncIterable<string>,
  ctx: SourceContext & { limits: SourceLimits },
): AsyncGenerator<Buffer, SourceEnd, void> {
  const iterator = Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]()
  const pause = { ms: ctx.limits.stallMs, signal: ctx.signal }
  try {
    for (;;) {
      const step = await patiently((async () => iterator.next())(), 'the next part of the text', pause)
      if (step.done) return { outcome: 'ok' }
      for (let at = 0; at < step.value.length; at += PIECE_CHARACTERS) {
        yield Buffer.from(step.value.slice(at, at + PIECE_CHARACTERS))
      }
    }
  } finally {
    // Not awaited: a text that hangs in its own code must not hold the entry.
    Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<string> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
