/** What an engine's own log says: logrus text, `time="…" level=info msg="…" error="…"`. No I/O. */

export interface LogLine {
  readonly timeMs: number
  readonly level: string
  readonly message: string
  readonly error?: string
  /** Docker 25 and newer: the path of the request stands beside its message. */
  readonly requestPath?: string
}

export interface Transfer {
  readonly what: 'pull' | 'push'
  /** Only a log of level debug names it. */
  readonly image?: string
  readonly startedMs: number
  /** The last that is known of it, and how long it took to there. */
  readonly endedMs: number
  /** When it began is not in a log without debug: the duration is from its first failure to its last. */
  readonly fromStart: boolean
  readonly attempts: number
  readonly error?: string
}

const LINE = /^time="([^"]+)" level=(\w+) msg=("(?:[^"\\]|\\.)*"|\S*)(.*)$/
/** A log of months: more than these are not shown by anybody. */
const mostTransfers = 1000
/** The engine waits up to 20 s before it tries again; what fails later than this is another one. */
const longestPauseMs = 60_000

export function parseEngineLog(text: string): LogLine[] {
  return text.split('\n').flatMap((line) => {
    const [, time, level, message, rest] = LINE.exec(line) ?? []
    if (time === undefined) return []
    const error = / error=("(?:[^"\\]|\\.)*"|\S+)/.exec(rest!)?.[1]
    const told = error === undefined || error === '"<nil>"' ? {} : { error: unquoted(error) }
    const requestPath = / request-url="?([^" ]+)/.exec(rest!)?.[1]
    const path = requestPath === undefined ? {} : { requestPath }
    return [{ timeMs: Date.parse(time), level: level!, message: unquoted(message!), ...told, ...path }]
  })
}

/**
 * Pulls and pushes, oldest first: without debug only those that failed, for of others nothing is logged. Where several went
 * on at once, what failed is taken for the newest: the lines do not tell whose they are.
 */
export function transfersIn(lines: readonly LogLine[]): Transfer[] {
  const ended: Transfer[] = []
  let open: Transfer | undefined
  const close = () => {
    if (open) ended.push(open)
    open = undefined
  }
  for (const line of lines) {
    const begun = beginning(line)
    if (begun) {
      close()
      open = { ...begun, startedMs: line.timeMs, endedMs: line.timeMs, fromStart: true, attempts: 0 }
      continue
    }
    const failed = failure(line)
    if (!failed) continue
    if (open?.what !== failed.what || (!open.fromStart && line.timeMs - open.endedMs > longestPauseMs)) close()
    open = withFailure(open, failed, line.timeMs)
    if (failed.last) close()
  }
  close()
  return ended.slice(-mostTransfers)
}

function withFailure(open: Transfer | undefined, { what, error, attempt }: Failure, timeMs: number): Transfer {
  const before = open ?? { what, startedMs: timeMs, fromStart: false, attempts: 0 }
  const attempts = before.attempts + (attempt ? 1 : 0)
  return { ...before, endedMs: timeMs, attempts, ...(error !== undefined && { error }) }
}

/** A registry that does not let in: the words of the registry protocol's codes, and of token servers. */
export const isDenied = (error: string): boolean =>
  /\b(denied|unauthorized|forbidden|401|403|insufficient_scope|authentication required|no basic auth credentials)\b/i.test(
    error,
  )

/** `Calling POST /v1.41/images/create?fromImage=ghcr.io/o/r&tag=t`, `Calling POST /v1.41/images/ghcr.io/o/r/push?tag=t` */
function beginning({ message, requestPath }: LogLine): Pick<Transfer, 'what' | 'image'> | undefined {
  const request = message === 'handling POST request' ? requestPath : /^Calling POST (.*)$/.exec(message)?.[1]
  const called = /^(?:\/v[\d.]+)?\/images\/(.*)$/.exec(request ?? '')?.[1]
  if (called === undefined) return undefined
  const [path = '', query = ''] = called.split('?')
  const asked = new URLSearchParams(query)
  const tag = asked.get('tag') ? `:${asked.get('tag')}` : ''
  const from = asked.get('fromImage')
  if (path === 'create' && from) return { what: 'pull', image: from + tag }
  return path.endsWith('/push') ? { what: 'push', image: path.slice(0, -'/push'.length) + tag } : undefined
}

interface Failure {
  readonly what: 'pull' | 'push'
  readonly error?: string
  readonly attempt?: boolean
  readonly last?: boolean
}

function failure({ message, error: beside = '' }: LogLine): Failure | undefined {
  const upload = /^Upload failed(, retrying)?: (.*)$/s.exec(message)
  if (upload) return { what: 'push', error: upload[2]!, attempt: true }
  const download = /^Download failed(?:, retrying)?(?: \([^)]*\))?: (.*)$/s.exec(message)
  if (download) return { what: 'pull', error: download[1]!, attempt: true }
  // Newer engines put the error beside the sentence.
  const next = /^(?:Attempting next endpoint for|Not continuing with) (pull|push) after error(?:: (.*))?$/s.exec(
    message,
  )
  if (next) {
    const what = next[1] === 'pull' ? 'pull' : 'push'
    const error = next[2] ?? beside
    // Plain HTTP is tried after HTTPS: no end yet, nor what it failed of. A pull is told once more by its handler.
    return error.includes('server gave HTTP response to HTTPS client')
      ? { what }
      : { what, error, last: what === 'push' }
  }
  const handler = /^Handler for POST (?:\/v[\d.]+)?\/images\/(create|.*\/push) returned error: (.*)$/s.exec(message)
  if (!handler) return undefined
  return { what: handler[1] === 'create' ? 'pull' : 'push', error: handler[2]!, last: true }
}

/** As Go's %q writes it; what is not JSON of it stays as it is. */
function unquoted(text: string): string {
  if (!text.startsWith('"')) return text
  try {
    return String(JSON.parse(text.replaceAll(/\\x([0-9a-f]{2})/g, String.raw`\u00$1`)))
  } catch {
    return text.slice(1, -1)
  }
}
