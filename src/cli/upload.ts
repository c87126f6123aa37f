/** `diagd upload`: has the daemon send a bundle, waits for it if asked to, and lists what became of others. */
import { setTimeout as delay } from 'node:timers/promises'
import { UsageError } from '../collect/request.ts'
import { loadConfig } from '../config/load.ts'
import { askDaemon, saidIn, whyNot, type DaemonAnswer, type Question } from './ask-daemon.ts'
import { EXIT, print, say } from './io.ts'
import type { Io } from './io.ts'
import { arrived, progressOf, tableOf, type ShownUpload } from './upload-text.ts'

export interface UploadOptions {
  readonly wait?: true
  readonly timeout?: string
  readonly reason?: string
  readonly trigger: 'request' | 'shutdown'
  readonly only?: readonly string[]
  readonly skip?: readonly string[]
  readonly since?: string
  readonly until?: string
  readonly around?: string
  readonly format?: string
  readonly limits?: string
  readonly list?: true
  readonly json?: true
}

/** It is written to the disk before it is answered. */
const PATIENCE_MS = 10_000
/** How often the daemon is asked while somebody waits. */
const LOOK_MS = 500

export async function upload(options: UploadOptions, io: Io): Promise<number> {
  const { wait, timeout, reason, trigger, list, json, ...given } = options
  const timeoutMs = timeout === undefined ? undefined : timeoutOf(timeout)
  if (timeoutMs !== undefined && !wait)
    throw new UsageError('timeout', 'says how long --wait waits; without it nobody does')
  const { config } = await loadConfig(io.environment, io.uid)
  const ask = asker(config.socket)
  if (list) return listed(await ask({ method: 'GET', path: '/uploads' }), io, json === true)
  const parameters = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]))
  const answer = await ask({ method: 'POST', path: '/uploads', body: { reason, trigger, parameters } })
  if (answer.status !== 202) return refused(answer, trigger, io)
  const record = answer.body as ShownUpload
  if (wait) return waited(record, { ask, timeoutMs, io, json: json === true })
  if (json) await print(io.stdout, `${JSON.stringify(record)}\n`)
  else say(io, `diagd: upload ${record.id} is under way; diagd upload --list tells what becomes of it`)
  return EXIT.whole
}

type Ask = (question: Question) => Promise<DaemonAnswer>

function asker(socket: string): Ask {
  return (question) =>
    askDaemon(socket, question, PATIENCE_MS).catch((error: unknown) => {
      const late = 'it may be sent all the same'
      throw new Error(whyNot(error, socket, { patienceMs: PATIENCE_MS, late }), { cause: error })
    })
}

/** A machine that goes down has no use for an error where nothing is to be sent. */
function refused(answer: DaemonAnswer, trigger: UploadOptions['trigger'], io: Io): number {
  const { code } = (answer.body ?? {}) as { code?: string }
  say(io, `diagd: nothing is sent: ${saidIn(answer)}`)
  if (trigger === 'shutdown' && (code === 'uploads-off' || code === 'too-many-uploads')) return EXIT.whole
  return answer.status === 400 ? EXIT.usage : EXIT.failed
}

async function listed(answer: DaemonAnswer, io: Io, json: boolean): Promise<number> {
  if (answer.status !== 200) {
    say(io, `diagd: ${saidIn(answer)}`)
    return EXIT.failed
  }
  const { uploads } = answer.body as { uploads: readonly ShownUpload[] }
  const lines = json ? uploads.map((one) => JSON.stringify(one)) : tableOf(uploads)
  await print(io.stdout, lines.map((line) => `${line}\n`).join(''))
  return EXIT.whole
}

interface Waiting {
  readonly ask: Ask
  readonly timeoutMs: number | undefined
  readonly io: Io
  readonly json: boolean
}

async function waited(first: ShownUpload, { ask, timeoutMs = Infinity, io, json }: Waiting): Promise<number> {
  const untilMs = performance.now() + timeoutMs
  let record = first
  let told = ''
  while (!isDecided(record)) {
    const now = progressOf(record)
    if (io.stderr.isTTY && now !== told) say(io, `diagd: ${now}`)
    told = now
    if (performance.now() >= untilMs || isTooLate(record, untilMs - performance.now())) {
      say(io, `diagd: upload ${record.id} is not there in time: ${now}. It goes on`)
      return EXIT.failed
    }
    await delay(Math.min(LOOK_MS, Math.max(untilMs - performance.now(), 0)))
    const { status, body } = await ask({ method: 'GET', path: `/uploads/${record.id}` })
    if (status === 200) record = body as ShownUpload
  }
  if (json) await print(io.stdout, `${JSON.stringify(record)}\n`)
  if (record.state !== 'uploaded') {
    say(io, `diagd: ${progressOf(record)}`)
    return EXIT.failed
  }
  if (!json) await print(io.stdout, `${arrived(record)}\n`)
  return record.outcome === 'partial' ? EXIT.partial : EXIT.whole
}

/** What somebody has to change something for is tried again, too, but not while somebody waits. */
function isDecided({ state, lastError }: ShownUpload): boolean {
  if (state === 'waiting') return lastError?.permanent === true
  return state !== 'running'
}

/** A machine that goes down is not held up for a try that comes after it. */
function isTooLate({ trigger, state, lastError, nextTry }: ShownUpload, leftMs: number): boolean {
  if (trigger !== 'shutdown' || state !== 'waiting' || !lastError || nextTry === undefined) return false
  return Date.parse(nextTry) - Date.now() > leftMs
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

function timeoutOf(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,6})(s|m|h)$/.exec(text) ?? []
  if (amount !== '') return Number(amount) * UNIT_MS[unit]!
  throw new UsageError('timeout', `"${text}" is not a time; accepted: 30s, 10m, 2h`)
}
