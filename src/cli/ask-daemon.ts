/** Asks the daemon something through its socket. */
import { request } from 'node:http'

export interface Question {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
}

export interface DaemonAnswer {
  readonly status: number
  /** undefined when it is no JSON. */
  readonly body: unknown
}

/** A list of a thousand uploads has 2 MB. */
const MOST_CHARACTERS = 8 * 1024 * 1024

/** Rejects when nobody answers in time; `whyNot` has the words for it. */
export async function askDaemon(
  socketPath: string,
  { method, path, body }: Question,
  patienceMs: number,
): Promise<DaemonAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const type =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  const signal = AbortSignal.timeout(patienceMs)
  const { promise, resolve, reject } = Promise.withResolvers<DaemonAnswer>()
  const asked = request({ socketPath, path, method, headers: { host: 'localhost', ...type }, signal }, (response) => {
    let answer = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      if (answer.length < MOST_CHARACTERS) answer += chunk
    })
    response.on('error', reject)
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(answer) }))
  })
  asked.on('error', reject).end(text)
  return promise
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What a refusal says, for people. */
export function saidIn({ status, body }: DaemonAnswer): string {
  if (typeof body !== 'object' || body === null) return `the answer is ${status}, and no JSON`
  const { title, detail } = body as { title?: unknown; detail?: unknown }
  return `${String(title)}: ${String(detail)}`
}

/** Why nobody answered. @param late what may have become of it all the same. */
export function whyNot(
  error: unknown,
  socket: string,
  { patienceMs, late }: { patienceMs: number; late: string },
): string {
  const { code, name, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return `no diagd listens on ${socket}`
  if (code === 'EACCES') return `${socket} is open to its owner and group only`
  if (name === 'TimeoutError' || name === 'AbortError')
    return `no answer on ${socket} within ${patienceMs / 1000} s; ${late}`
  return `${socket}: ${message}`
}
