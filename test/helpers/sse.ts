/** A client of server-sent events, over HTTP as it is. */
import { request, type IncomingMessage } from 'node:http'
import { onTestFinished } from 'vitest'

export interface SentEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: string
}

export interface SseClient {
  readonly response: IncomingMessage
  readonly events: readonly SentEvent[]
  /** Comments, without their colon. */
  readonly comments: readonly string[]
  /** Resolves with the events so far once they are enough. Rejects when the connection ends before. */
  until(enough: (events: readonly SentEvent[]) => boolean): Promise<readonly SentEvent[]>
  /** Resolves when the server ended it, and with how: `end`, or an error. */
  readonly ended: Promise<string>
  close(): void
}

/** Of the unix socket at `where`, or of the address that begins with http. */
export async function openSse(where: string, path: string, headers: Record<string, string> = {}): Promise<SseClient> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const { hostname, port } = where.startsWith('http') ? new URL(where) : {}
  const target = port === undefined ? { socketPath: where } : { hostname, port }
  const asked = request(
    { ...target, path, agent: false, headers: { accept: 'text/event-stream', ...headers } },
    resolve,
  )
  asked.on('error', reject).end()
  onTestFinished(() => void asked.destroy())
  const response = await promise
  const events: SentEvent[] = []
  const comments: string[] = []
  const waiting = new Set<() => void>()
  const told = () => {
    for (const look of waiting) look()
  }
  const ended = new Promise<string>((done) => {
    response.once('end', () => done('end'))
    response.once('error', (error) => done(error.message))
    response.once('close', () => done('closed'))
  })
  void ended.then(told)
  let text = ''
  let over = false
  void ended.then(() => (over = true))
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const blocks = (text + chunk).split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) take(block, events, comments)
    told()
  })
  return {
    response,
    events,
    comments,
    ended,
    close: () => asked.destroy(),
    until: (enough) =>
      new Promise((found, failed) => {
        const look = () => {
          if (enough(events)) found(events)
          else if (over) failed(new Error(`it ended before that: ${JSON.stringify(events.slice(-3))}`))
          else return
          waiting.delete(look)
        }
        waiting.add(look)
        void ended.then(look)
        look()
      }),
  }
}

function take(block: string, events: SentEvent[], comments: string[]): void {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon === 0) comments.push(line.slice(1).trim())
    else fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''))
  }
  const data = fields.get('data')
  if (data !== undefined) events.push({ event: fields.get('event') ?? 'message', id: fields.get('id'), data })
}

export function messagesOf(events: readonly SentEvent[]): string[] {
  return events
    .filter(({ event }) => event === 'message')
    .map(({ data }) => (JSON.parse(data) as { message: string }).message)
}
