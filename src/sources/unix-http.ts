/** A GET over a unix socket, as a source: every engine API, and any other daemon that speaks HTTP on a socket. */
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { SourceError, type Opened, type SourceContext, type SourceEnd, type SourceLimits } from './source.ts'
import { HttpPatience } from './unix-http-patience.ts'

export interface UnixHttpSpec {
  readonly socket: string
  readonly path: string
  /** A body that may go on for long (logs): only the stall limit watches it, not the limit of the whole answer. */
  readonly stream?: boolean
  /** Milliseconds of waiting instead of both limits: for a question that takes the peer long before its first byte. */
  readonly timeoutMs?: number
}

export type UnixHttpContext = SourceContext & { readonly limits: SourceLimits }

/** What is read of a refusal to find its message: engines answer `{"message":"…"}`. */
const refusalBytes = 64 * 1024
/** Largest JSON document to parse; the list of 10 000 containers has about 12 MB. */
const jsonBytes = 16 * 1024 * 1024

/**
 * Opens the answer to `GET path` as bytes, at most `limits.entryBytes`.
 *
 * Time counts only while the peer is waited for: `limits.stallMs` for each next byte and, unless `stream` is set,
 * `limits.commandMs` for all of them. Throws a `SourceError`: `skipped` when there is no socket, nobody listens or we
 * may not connect; `timeout`; `failed` when the peer refuses (with its status and message) or does not speak HTTP.
 */
export async function openUnixHttp(spec: UnixHttpSpec, ctx: UnixHttpContext): Promise<Opened> {
  const answer = await openAnswer(spec, ctx)
  return { origin: answer.origin, chunks: await primed(bounded(answer, ctx.limits.entryBytes)) }
}

/** The parsed JSON answer to `GET path`, at most 16 MiB. Throws like `openUnixHttp`, and when it is not JSON. */
export async function getJson(spec: UnixHttpSpec, ctx: UnixHttpContext): Promise<unknown> {
  const answer = await openAnswer(spec, ctx)
  const body: Buffer[] = []
  const chunks = await primed(bounded(answer, jsonBytes))
  let step = await chunks.next()
  for (; !step.done; step = await chunks.next()) body.push(step.value)
  if (step.value.outcome !== 'ok') throw new SourceError('failed', `${answer.origin}: ${step.value.detail}`)
  try {
    return JSON.parse(Buffer.concat(body).toString())
  } catch (cause) {
    throw new SourceError('failed', `${answer.origin} answered something that is not JSON`, { cause })
  }
}

/** An answer whose status is 2xx. Whoever has it has to read it to its end or to call `chunks.return()`. */
export interface Answer {
  readonly origin: string
  /** Where the head tells it. */
  readonly sizeBytes?: number
  /** The body; throws a `SourceError` when the peer stalls (`timeout`) or breaks off (`partial`, `failed` if nothing came). */
  readonly chunks: AsyncGenerator<Buffer, void, void>
}

/** Asks, and resolves when the head of the answer is there. */
export async function openAnswer(spec: UnixHttpSpec, ctx: UnixHttpContext): Promise<Answer> {
  ctx.signal.throwIfAborted()
  const origin = `unix:${spec.socket} ${spec.path}`
  const patience = new HttpPatience(origin, spec, ctx.limits)
  const response = await head(spec, ctx, patience)
  const chunks = await primed(body(response, ctx.signal, patience))
  const status = response.statusCode ?? 0
  if (status < 200 || status >= 300) {
    throw new SourceError('failed', `${origin} answered ${status}: ${await refusal(chunks)}`)
  }
  const length = response.headers['content-length']
  return { origin, chunks, ...(length === undefined ? {} : { sizeBytes: Number(length) }) }
}

/**
 * Runs a generator to its first (empty) yield. A generator that never ran ignores its `finally` when returned;
 * a primed one closes what it holds even if nobody ever pulls.
 */
export async function primed<T extends AsyncGenerator<Buffer, unknown, void>>(chunks: T): Promise<T> {
  await chunks.next()
  return chunks
}

export const priming = Buffer.alloc(0)

async function head(spec: UnixHttpSpec, ctx: UnixHttpContext, patience: HttpPatience): Promise<IncomingMessage> {
  // No agent: a connection of its own, closed with the answer, so that nothing outlives the entry.
  const asking = request({
    socketPath: ctx.root + spec.socket,
    path: spec.path,
    agent: false,
    headers: { host: 'localhost', accept: '*/*' },
  })
  const giveUp = () => asking.destroy(abortError(ctx.signal))
  ctx.signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await patience.wait(answered(asking), (late) => asking.destroy(late))
  } catch (cause) {
    if (ctx.signal.aborted) throw abortError(ctx.signal)
    throw connectError(cause, spec.socket, patience.origin)
  } finally {
    ctx.signal.removeEventListener('abort', giveUp)
  }
}

function answered(asking: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asking.once('response', resolve)
    // Stays on: an error after the head is the body's to report, and must not be an uncaught one here.
    asking.on('error', reject)
    asking.end()
  })
}

async function* body(
  response: IncomingMessage,
  signal: AbortSignal,
  patience: HttpPatience,
): AsyncGenerator<Buffer, void, void> {
  const giveUp = () => response.destroy(abortError(signal))
  signal.addEventListener('abort', giveUp, { once: true })
  const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]()
  let bytes = 0
  try {
    yield priming
    for (;;) {
      const step = await patience.wait(chunks.next(), (late) => response.destroy(late))
      if (step.done) return
      bytes += step.value.length
      yield step.value
    }
  } catch (cause) {
    if (signal.aborted) throw abortError(signal)
    if (cause instanceof SourceError) throw cause
    const message = `${patience.origin} broke off after ${bytes} bytes: ${messageOf(cause)}`
    throw new SourceError(bytes > 0 ? 'partial' : 'failed', message, { cause })
  } finally {
    signal.removeEventListener('abort', giveUp)
    response.destroy()
  }
}

/** At most `limit` bytes of the body. */
async function* bounded({ origin, chunks }: Answer, limit: number): AsyncGenerator<Buffer, SourceEnd, void> {
  let left = limit
  try {
    yield priming
    for await (const chunk of chunks) {
      if (chunk.length > left) {
        if (left > 0) yield chunk.subarray(0, left)
        return {
          outcome: 'partial',
          detail: `${origin} has more than ${limit} bytes; cut at the limit`,
          endsEarly: true,
        }
      }
      left -= chunk.length
      yield chunk
    }
    return { outcome: 'ok' }
  } finally {
    await chunks.return()
  }
}

async function refusal(chunks: AsyncGenerator<Buffer, void, void>): Promise<string> {
  let text = ''
  try {
    for await (const chunk of chunks) {
      text += chunk.toString()
      if (text.length > refusalBytes) break
    }
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message)
  } catch {
    // Not every peer words its refusal as JSON; then its text is the message.
  }
  return text.slice(0, 1000).trim() || 'no message'
}

function connectError(cause: unknown, socket: string, origin: string): SourceError {
  if (cause instanceof SourceError) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'ENOENT') return new SourceError('skipped', `${socket} does not exist`, { cause })
  if (code === 'ECONNREFUSED') return new SourceError('skipped', `nothing listens on ${socket}`, { cause })
  if (code === 'EACCES' || code === 'EPERM') {
    return new SourceError('skipped', `permission denied on ${socket}: add the user to its group`, { cause })
  }
  if (code.startsWith('HPE_')) {
    return new SourceError('failed', `${origin} answered something that is not HTTP: ${messageOf(cause)}`, { cause })
  }
  return new SourceError('failed', `${origin} gave no answer: ${messageOf(cause)}`, { cause })
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const abortError = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('nobody wants the bundle any more')
