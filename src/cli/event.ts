/** `diagd event`: tells the daemon of something, through its socket. It never holds up the script that calls it. */
import { UsageError } from '../collect/request.ts'
import { loadConfig } from '../config/load.ts'
import { HttpError } from '../http/errors.ts'
import { parseEvents } from '../http/events-input.ts'
import { askDaemon, saidIn, whyNot } from './ask-daemon.ts'
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
  const refusal = await post(config.socket, body)
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
async function post(socket: string, body: object): Promise<string | undefined> {
  try {
    const answer = await askDaemon(socket, { method: 'POST', path: '/events', body }, PATIENCE_MS)
    return answer.status === 201 ? undefined : saidIn(answer)
  } catch (error) {
    return whyNot(error, socket, { patienceMs: PATIENCE_MS, late: 'it may be kept all the same' })
  }
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
