import { expect, onTestFinished, test } from 'vitest'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import type { LogReader } from '../../src/collect/logs/reader.ts'
import { testRedaction } from '../helpers/make-bundle.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'
import { createTokens } from '../helpers/tokens.ts'
import { canMakeJournals } from '../record/helpers/journals.ts'
import { cloudInit, entry, machine, type Machine } from '../collect/logs/kit.ts'

interface Page {
  readonly lines: readonly { readonly message: string; readonly time: string }[]
  readonly ended: string
  readonly next?: string
  readonly cursor?: string
  readonly problems: readonly object[]
}

async function asked(box: Machine = machine(), over: Parameters<typeof depsOf>[0] = {}) {
  const config = { ...depsOf().config, auth: 'none' as const }
  const doors = await openDoors(depsOf({ logs: box.reader, config, ...over }))
  onTestFinished(() => doors.close())
  const get = async (path: string, ...options: string[]) => {
    const { stdout } = await curl('-w', '\n%{http_code} %{content_type}', ...options, `${doors.tcp}${path}`)
    const [, body = '', status, type] = /^([^]*)\n(\d+) (.*)$/.exec(stdout.toString())!
    return { body, status: Number(status), type, json: () => JSON.parse(body) as Page }
  }
  return { get, doors }
}

function withLines(count: number): Machine {
  const box = machine()
  box.journal(Array.from({ length: count }, (_, index) => entry(index * 1000, `line ${index}`)))
  return box
}

/** A busy machine takes its time; nothing is asserted about it. */
const PATIENT = { timeout: 30_000 }

test.skipIf(!canMakeJournals)('a page leads to the next, in the answer and in its header', async () => {
  const { get, doors } = await asked(withLines(10))
  const seen: string[] = []
  let path: string | undefined = '/logs?order=oldest&limit=4&source=journal'
  for (; path !== undefined; path = (await get(path)).json().next) {
    seen.push(...(await get(path)).json().lines.map(({ message }) => message))
  }
  expect(seen).toEqual(Array.from({ length: 10 }, (_, index) => `line ${index}`))
  const { stdout } = await curl('-i', `${doors.tcp}/logs?limit=1`)
  const [, link] = /^link: <(.*)>; rel="next"/im.exec(stdout.toString())!
  expect((await get(link!)).json().lines[0]!.message).toBe('line 8')
  expect(stdout.toString()).toMatch(/^cache-control: no-store/im)
})

test.skipIf(!canMakeJournals)('every line is as its schema says', async () => {
  const box = withLines(3)
  box.file('var/log/cloud-init.log', cloudInit(0, 'x'.repeat(20_000)))
  box.journal([entry(9, 'in a box', { CONTAINER_ID_FULL: 'd'.repeat(64), CONTAINER_NAME: 'box' })])
  const { get } = await asked(box)
  const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false })
  addFormats.default(ajv)
  const schema = readFileSync(new URL('../../docs/schema/log-line.schema.json', import.meta.url), 'utf8')
  const properties = (JSON.parse(schema) as { properties: object }).properties
  const { lines } = (await get('/logs')).json()
  const validate = ajv.compile(JSON.parse(schema) as object)
  for (const line of lines) {
    validate(line)
    expect(validate.errors).toBeNull()
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(line)))
  }
  expect(lines).toHaveLength(5)
})

test.skipIf(!canMakeJournals)('lines of JSON, and columns for people in the order of time', async () => {
  const box = withLines(2)
  box.journal([entry(5000, 'one\ntwo\u001b[31m', { PRIORITY: '3', SYSLOG_IDENTIFIER: 'a-program-with-a-long-name' })])
  const { get } = await asked(box)
  const lines = await get('/logs?source=journal', '-H', 'Accept: application/x-ndjson')
  expect(lines.type).toBe('application/x-ndjson')
  expect(
    lines.body
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message),
  ).toEqual(['one\ntwo\u001b[31m', 'line 1', 'line 0'])
  const text = await get('/logs?source=journal', '-H', 'Accept: text/plain')
  expect(text).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' })
  expect(text.body).toBe(
    [
      '2026-06-15T12:00:00.000Z info     app[812]                 line 0',
      '2026-06-15T12:00:00.001Z info     app[812]                 line 1',
      '2026-06-15T12:00:00.005Z error    a-program-wi…g-name[812] one',
      String.raw`                                                           two\x1b[31m`,
      '',
    ].join('\n'),
  )
})

test('what is missing is said in every form', async () => {
  const { get } = await asked()
  const absent = {
    source: 'journal',
    message: 'no journal: no journal file under /run/log/journal or /var/log/journal',
  }
  expect((await get('/logs?source=journal')).json().problems).toEqual([{ ...absent, absent: true }])
  const lines = await get('/logs?source=journal', '-H', 'Accept: application/x-ndjson')
  expect(JSON.parse(lines.body)).toEqual({ problem: { ...absent, absent: true } })
  const text = await get('/logs?source=journal', '-H', 'Accept: text/plain')
  expect(text.body).toBe(`… diagd: ${absent.message} …\n`)
})

test.each([
  [
    'lines=3',
    'lines: is not a parameter; accepted: source, level, unit, container, since, until, search, cursor, order, limit',
  ],
  ['source=syslog', 'source: "syslog" is none of those accepted: journal, cloud-init, container'],
  ['level=loud', 'level: "loud" is none of those accepted: debug, info, warning, error, critical'],
  ['unit=a%20b', 'unit: "a b" is not a unit; accepted: nginx, nginx.service, worker@1.service'],
  ['container=-x', 'container: "-x" is not a container; accepted: its name, or 12 or more letters of its id'],
  ['source=cloud-init&unit=x', 'unit: cloud-init has none; lines of a unit come from: journal'],
  ['since=soon', 'since: "soon" is not a time after 1970'],
  ['since=1h&until=2h', 'since: is not before until'],
  ['search=', 'search: has 0 characters; accepted: 1 to 256'],
  ['order=up', 'order: "up" is none of those accepted: newest, oldest'],
  ['limit=0', 'limit: "0" does not fit; accepted: whole numbers from 1 to 10000'],
  ['limit=10001', 'limit: "10001" does not fit; accepted: whole numbers from 1 to 10000'],
  ['cursor=x', 'cursor: is not a cursor; accepted: one of an answer before'],
  ['cursor=1b.zz.~j.../../etc', 'cursor: is not a cursor'],
  ['cursor=1f.zz.', 'cursor: is one of order=oldest, which reads the other way'],
  [`unit=${Array.from({ length: 33 }, (_, i) => `u${i}`).join()}`, 'unit: there are 33 of them; accepted: at most 32'],
])('?%s is refused', async (query, detail) => {
  const { get } = await asked()
  const { status, body } = await get(`/logs?${query}`)
  expect(status).toBe(400)
  expect(JSON.parse(body)).toMatchObject({ code: 'bad-parameter', detail: expect.stringContaining(detail) as string })
})

test.each([
  ['until=1h', 'until: is not a parameter; accepted: source'],
  ['order=oldest', 'order: is not a parameter'],
  ['lines=5&since=1h', 'lines: does not go together with since'],
  ['cursor=x', 'cursor: is not a cursor'],
])('a stream with ?%s is refused', async (query, detail) => {
  const { get } = await asked()
  const { status, body, type } = await get(`/logs/stream?${query}`)
  expect({ status, type }).toEqual({ status: 400, type: 'application/problem+json' })
  expect(JSON.parse(body)).toMatchObject({ code: 'bad-parameter', detail: expect.stringContaining(detail) as string })
})

test('a Last-Event-ID that is none is refused', async () => {
  const { get } = await asked()
  expect((await get('/logs/stream', '-H', 'Last-Event-ID: 4711')).status).toBe(400)
})

test('over TCP it takes a credential that is good for reading', async () => {
  const tokens = createTokens()
  onTestFinished(() => tokens.remove())
  const { get } = await asked(machine(), { config: { ...depsOf().config, auth: undefined }, tokens: tokens.store })
  expect((await get('/logs')).status).toBe(401)
  const header = async (name: string, scope: 'bundle' | 'read') => [
    '-H',
    `Authorization: Bearer ${await tokens.create(name, [scope])}`,
  ]
  expect((await get('/logs', ...(await header('b', 'bundle')))).status).toBe(403)
  expect((await get('/logs/stream', ...(await header('b', 'bundle')))).status).toBe(403)
  expect((await get('/logs', ...(await header('r', 'read')))).status).toBe(200)
})

test('where the mask cannot be trusted nothing is handed over', async () => {
  const values = () => Promise.reject(new Error('/etc/secrets cannot be read'))
  const { get } = await asked(machine({ redaction: { ...testRedaction(), values } }))
  for (const path of ['/logs', '/logs/stream']) {
    const { status, body } = await get(path)
    expect(status).toBe(500)
    const detail = expect.stringContaining('/etc/secrets cannot be read') as string
    expect(JSON.parse(body)).toMatchObject({ code: 'logs-withheld', detail })
  }
})

test('so many pages at once, and one more through the unix socket; a reader that leaves gives its place back', async () => {
  const signals: AbortSignal[] = []
  const begun = Promise.withResolvers<void>()
  const page: LogReader['page'] = (_wish, signal) => {
    signals.push(signal)
    if (signals.length === 4) begun.resolve()
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  }
  const { get, doors } = await asked(machine(), { logs: { page, follow: machine().reader.follow } })
  const leaving = new AbortController()
  const four = Array.from({ length: 4 }, () => fetch(`${doors.tcp}/logs`, { signal: leaving.signal }).catch(() => {}))
  await begun.promise
  const refused = await get('/logs', '-i')
  expect(refused.body).toMatch(/^retry-after: 10/im)
  expect(refused.body).toContain('"code":"too-many-readers"')
  const local = curl('--unix-socket', doors.socket, 'http://localhost/logs')
  await expect.poll(() => signals.length, PATIENT).toBe(5)
  leaving.abort()
  await Promise.all(four)
  await expect.poll(() => signals.filter(({ aborted }) => aborted).length, PATIENT).toBe(4)
  const fifth = get('/logs', '--max-time', '1')
  await expect.poll(() => signals.length, PATIENT).toBe(6)
  await fifth.catch(() => {})
  await doors.close()
  await local
})

test('each answer is a line of the audit log, without what was looked for', async () => {
  const said: Record<string, unknown>[] = []
  const logger = pino({ level: 'error' }, { write: (line: string) => void said.push(JSON.parse(line) as never) })
  const { get } = await asked(machine(), { logger })
  await get('/logs?search=hunter2&level=error')
  await expect
    .poll(() => said)
    .toEqual([
      expect.objectContaining({
        msg: 'audit',
        path: '/logs',
        what: { level: 'error', search: '(not logged)' },
        lines: 0,
        outcome: 'whole',
      }),
    ])
})

test('where there is no reader there are no logs', async () => {
  const { get } = await asked(machine(), { logs: undefined })
  expect((await get('/logs')).status).toBe(404)
  expect((await get('/logs/stream')).status).toBe(404)
})
