/** Whatever bytes come in by whatever door: a problem of the table or a proper answer, and diagd lives on. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import * as fc from 'fast-check'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { ERRORS } from '../../src/http/errors.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'
import { httpInput, SECRET } from '../helpers/http-inputs.ts'
import type { HttpInput } from '../helpers/http-inputs.ts'
import { createAuthority, openDoor } from '../helpers/tls.ts'

const RUNS = 60
/** Inputs of one run, each on a connection of its own at the same time. */
const AT_ONCE = 8
/** What has not answered by then waits for more, which does not come. */
const PATIENCE_MS = 60

const DOORS = ['local', 'tcp', 'tls', 'plain to tls'] as const
type Door = (typeof DOORS)[number]
const inputs = fc.array(fc.tuple(fc.constantFrom(...DOORS), httpInput), { minLength: AT_ONCE, maxLength: AT_ONCE })

test('any bytes through any door', async () => {
  const lines: string[] = []
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const doors = await openDoors(depsOf({ logger }))
  onTestFinished(doors.close)
  const tls = { ...createAuthority().sign('server'), clientScopes: [] }
  const secure = await openDoor(depsOf({ logger }), { tls })
  const open = (door: Door): Socket => {
    if (door === 'local') return connect(doors.socket)
    if (door === 'tcp') return connect(Number(new URL(doors.tcp).port), '127.0.0.1')
    if (door === 'plain to tls') return connect(secure.port(), '127.0.0.1')
    return connectTls({ port: secure.port(), host: '127.0.0.1', rejectUnauthorized: false })
  }

  await fc.assert(
    fc.asyncProperty(inputs, async (sent) => {
      const answers = await Promise.all(sent.map(([door, input]) => exchange(open(door), input)))
      for (const answer of answers) checkAnswers(answer)
      for (const door of ['local', 'tcp', 'tls'] as const) await stillAlive(open(door))
      expect(lines.splice(0).join('')).not.toContain(SECRET)
      expect(warnings).toEqual([])
    }),
    { numRuns: RUNS, endOnFailure: true },
  )
  const { stdout } = await curl('-f', '--unix-socket', doors.socket, 'http://localhost/debug-package')
  expect(stdout.toString()).toBe('bundle')
})

/** What comes back until the server closes, or has nothing more to say. */
async function exchange(socket: Socket, { bytes, cut, leavesEarly }: HttpInput): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let answer = ''
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part))
  socket.on('error', () => {}).on('close', () => resolve(answer))
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  const at = Math.floor(bytes.length * cut)
  socket.write(bytes.slice(0, at), 'latin1', () => {
    if (leavesEarly) socket.destroy()
    else if (socket.writable) socket.write(bytes.slice(at), 'latin1')
  })
  return promise
}

/** One after the other; the last may be cut, for the client left. */
function checkAnswers(answers: string): void {
  expect(answers).not.toContain(SECRET)
  let rest = answers
  while (rest !== '') {
    const head = /^HTTP\/1\.1 (\d{3}) [A-Za-z ]+\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest)
    if (!head) {
      // Nothing but the beginning of an answer that was cut.
      expect(rest.length < 12 ? 'HTTP/1.1 ' : rest).toMatch(/^HTTP\/1\.1 (?!.*\r\n\r\n)/s)
      return
    }
    const status = Number(head[1])
    rest = rest.slice(head[0].length)
    if (status === 100) continue
    expect(head[2]).toContain('x-content-type-options: nosniff')
    expect(head[2]).not.toMatch(/^access-control-/im)
    const length = /^content-length: (\d+)$/im.exec(head[2]!)?.[1]
    if (status >= 400) rest = checkProblem(status, rest, Number(length))
    else rest = length === undefined ? rest.replace(/^6\r\nbundle\r\n0\r\n\r\n|^.*$/s, '') : rest.slice(Number(length))
  }
}

/** Returns what follows it. */
function checkProblem(status: number, rest: string, length: number): string {
  // 505 is the one mistake of a client that HTTP counts among those of servers.
  expect(status === 505 ? 499 : status).toBeLessThan(500)
  // None after HEAD; a client that left has a part of it.
  if (rest.startsWith('HTTP/1.1 ')) return rest
  if (rest.length < length) return ''
  const problem = JSON.parse(Buffer.from(rest.slice(0, length), 'latin1').toString()) as Record<string, unknown>
  expect(ERRORS[problem['code'] as keyof typeof ERRORS]).toEqual({ status, title: problem['title'] })
  expect(problem).toMatchObject({ type: `urn:diagd:error:${String(problem['code'])}`, status })
  expect(typeof problem['detail']).toBe('string')
  return rest.slice(length)
}

async function stillAlive(socket: Socket): Promise<void> {
  const bytes = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const { promise, resolve } = Promise.withResolvers<string>()
  let answer = ''
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part))
  socket.on('error', () => {}).on('close', () => resolve(answer))
  socket.write(bytes)
  expect(await promise).toMatch(/^HTTP\/1\.1 200 /)
}
