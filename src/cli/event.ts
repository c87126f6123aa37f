/** `diagd event`: tells the daemon of something, through its socket. It never holds up the script that calls it. */
import { request } from 'node:http'
import { UsageError } from '../collect/request.ts'
import { loadConfig } from '../config/load.ts'
import { HttpError } from '../http/errors.ts'
import { parseEvents } from '../http/events-input.ts'
import { EXIT, say } from './io.ts'
import type { Io } from './io.ts'

export interface EventOptions {
  readonly status?: string
  readonly subject?: string
  readonly message?: string
  readonly level?: string
  readonly detail?: string
  readonly duration?: string
  readonly time?: string
  readonly bestEffort?: true
}

/** With the start of the process, an end within 2 s. */
const PATIENCE_MS = 1500

export async function event(type: string, options: EventOptions, io: Io): Promise<number> {
  const { bestEffort, duration, detail, ...rest } = options
  const body = {
    type,
    ...rest,
    ...(detail === undefined ? {} : { detail: detailOf(detail) }),
    ...(duration === undefined ? {} : { durationMs: durationOf(duration) }),
  }
  // A wrong word in a script shows also where no daemon runs yet.
  const wrong = problemOf(body)
  if (wrong !== undefined) {
    say(io, `diagd: ${wrong}`)
    return EXIT.usage
  }
  const { config } = await loadConfig(io.environment, io.uid)
  const refusal = await post(config.socket, JSON.stringify(body)).catch((error: unknown) =>
    whyNot(error, config.socket),
  )
  if (refusal === undefined) return EXIT.whole
  say(io, `diagd: the event ${type} is not recorded: ${refusal}`)
  return bestEffort ? EXIT.whole : EXIT.failed
}

function problemOf(body: object): string | undefined {
  try {
    parseEvents(body, { timeMs: Date.now(), bootId: '' })
    return undefined
  } catch (error) {
    if (error instanceof HttpError) return error.message
    throw error
  }
}

/** undefined when it is kept, else why not. */
async function post(socketPath: string, body: string): Promise<string | undefined> {
  const headers = { host: 'localhost', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  const asked = request({ socketPath, path: '/events', method: 'POST', headers, signal }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.length < 64 * 1024) text += chunk
    })
    response.on('error', reject)
    response.on('end', () => resolve(response.statusCode === 201 ? undefined : saidIn(text, response.statusCode)))
  })
  asked.on('error', reject).end(body)
  return promise
}

function saidIn(text: string, status: number | undefined): string {
  try {
    const { title, detail } = JSON.parse(text) as { title?: unknown; detail?: unknown }
    return `${String(title)}: ${String(detail)}`
  } catch {
    return `the answer is ${status}, and no JSON`
  }
}

function whyNot(error: unknown, socket: string): string {
  const { code, name, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return `no diagd listens on ${socket}`
  if (code === 'EACCES') return `${socket} is open to its owner and group only`
  if (name === 'TimeoutError' || name === 'AbortError')
    return `no answer on ${socket} within ${PATIENCE_MS / 1000} s; it may be kept all the same`
  return `${socket}: ${message}`
}

function detailOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError('detail', `is no JSON (${(error as Error).message}); accepted: '{"version":"27.1"}'`)
  }
}

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

function durationOf(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(text) ?? []
  if (amount !== '') return Number(amount) * UNIT_MS[unit]!
  throw new UsageError('duration', `"${text}" is not a duration; accepted: 250ms, 1.5s, 90s, 5m, 2h`)
}
