/** Lines of the logs as server-sent events: for as long as the client wants, at its own pace, and told what that costs. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FollowStep } from '../collect/logs/follow.ts'
import type { LogLine } from '../collect/logs/line.ts'
import { LineQueue } from './line-queue.ts'
import { resetConnection, responseSink, type ResponseSink } from './stream.ts'

export interface StreamDeps {
  readonly steps: AsyncGenerator<FollowStep, void, void>
  /** The first of them: it was waited for, so that a refusal can still be one. */
  readonly first: IteratorResult<FollowStep, void>
  /** Ends the steps. */
  readonly signal: AbortSignal
  readonly closing: AbortSignal
  readonly stallMs: number
}

export interface StreamEnd {
  readonly lines: number
  readonly dropped: number
  readonly outcome: 'ended' | 'broken off'
  readonly reason: string
}

/** Silence of a minute makes proxies hang up. */
const HEARTBEAT_MS = 10_000
/** Of what waits, so much is handed to the connection at once. */
const WRITE_BYTES = 16 * 1024
/** A client that was cut off comes back after so long. */
const RETRY_MS = 3000

export async function sendStream(request: FastifyRequest, reply: FastifyReply, deps: StreamDeps): Promise<StreamEnd> {
  const { signal, closing, stallMs } = deps
  const response = reply.raw
  const sink = responseSink(response, {
    begin: () => begin(reply),
    stallMs,
    onStall: () => resetConnection(response.socket),
  })
  const queue = new LineQueue()
  const stop = () => queue.close()
  signal.addEventListener('abort', stop, { once: true })
  const heartbeat = setInterval(() => queue.heartbeat(), HEARTBEAT_MS)
  try {
    queue.say(`retry: ${RETRY_MS}\n\n`)
    const filling = fill(queue, deps)
    // Whether it is at its end, or fails, shows when what it brought is written.
    filling.catch(stop)
    await write(queue, sink)
    if (!signal.aborted) await filling
    const reason = closing.aborted ? 'diagd stops' : 'there is nothing more to follow'
    await sink.write(Buffer.from(event('end', { reason })))
    await sink.end()
    return { lines: queue.taken, dropped: queue.dropped, outcome: 'ended', reason }
  } catch (error) {
    request.log.debug({ err: error }, 'the stream of the logs broke off')
    resetConnection(response.socket)
    const { message } = error as Error
    return { lines: queue.taken, dropped: queue.dropped, outcome: 'broken off', reason: message }
  } finally {
    clearInterval(heartbeat)
    signal.removeEventListener('abort', stop)
    stop()
    await deps.steps.return()
  }
}

function begin(reply: FastifyReply): void {
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
  })
}

/** What was there already waits on the disk; of what comes live, the oldest goes when there is no room. */
async function fill(queue: LineQueue, { steps, first }: StreamDeps): Promise<void> {
  for (let step = first; !step.done && !queue.closed; step = await steps.next()) {
    const { value } = step
    if ('line' in value) {
      if (!value.live) await queue.room()
      queue.push(value.line.time, frameOf(value.line))
    } else if ('problem' in value) queue.say(event('problem', value.problem))
    else queue.say(event('caught-up', {}))
  }
  queue.close()
}

async function write(queue: LineQueue, sink: ResponseSink): Promise<void> {
  for (;;) {
    const text = await queue.take(WRITE_BYTES)
    if (text === undefined) return
    await sink.write(Buffer.from(text))
  }
}

function frameOf({ cursor, ...line }: LogLine): string {
  return `id: ${cursor}\ndata: ${JSON.stringify({ ...line, cursor })}\n\n`
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
