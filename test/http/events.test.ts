import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createMask } from '../../src/record/recorder/mask.ts'
import type { EventsPart } from '../../src/http/events.ts'
import type { NewEvent } from '../../src/record/events/event.ts'
import { createEventStore } from '../../src/record/events/store.ts'
import { createRedactionService } from '../../src/redact/service.ts'
import { temporaryFolder } from '../helpers/archive.ts'
import { ownFolder, startDaemon } from '../helpers/daemon.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'
import type { Doors } from '../helpers/http.ts'
import { createTokens } from '../helpers/tokens.ts'
import type { TestTokens } from '../helpers/tokens.ts'

const BOOT = '0f1e2d3c-0000-4000-8000-000000000001'
const BEFORE = '0f1e2d3c-0000-4000-8000-000000000000'
const NOON_MS = Date.UTC(2026, 5, 15, 12)

interface Shown {
  readonly id: number
  readonly type: string
  readonly [key: string]: unknown
}
interface Page {
  readonly events: readonly Shown[]
  readonly next?: string
}

describe('asking', () => {
  let doors: Doors
  let tokens: TestTokens
  const folder = temporaryFolder()
  const service = createRedactionService()
  const store = createEventStore({ folder: folder.path, bootId: BOOT, maxAgeMs: 1e14 })
  const mask = createMask(service.open({ key: Buffer.alloc(32, 1) }))
  const events: EventsPart = {
    ...store,
    now: () => ({ timeMs: NOON_MS, monotonicMs: 60_000, bootId: BOOT }),
    add: async (list) => store.append(await mask.events(list)),
    audit: () => {},
  }

  beforeAll(async () => {
    tokens = createTokens()
    doors = await openDoors(depsOf({ events, tokens: tokens.store }))
    const one = (minute: number, more: Partial<NewEvent>): NewEvent => ({
      timeMs: NOON_MS + minute * 60_000,
      bootId: BOOT,
      source: 'systemd',
      type: 'unit.failed',
      level: 'error',
      subject: 'app.service',
      message: 'it failed',
      ...more,
    })
    await store.append([
      one(-600, { bootId: BEFORE, type: 'unit.failed', message: 'in the boot before' }),
      one(1, { type: 'unit.failed', subject: 'web.service' }),
      one(2, { type: 'unit.started', level: 'info' }),
      one(3, { source: 'kernel', type: 'kernel.oom-kill', level: 'critical', subject: 'python3' }),
      one(4, { type: 'unitary', level: 'debug', message: '100 % of nothing' }),
    ])
  })

  afterAll(async () => {
    await doors.close()
    await store.close()
    await service.close()
    tokens.remove()
    folder.remove()
  })

  const get = async (query: string, ...options: string[]): Promise<Page> => {
    const { stdout } = await curl(...options, '--unix-socket', doors.socket, `http://localhost/events${query}`)
    return JSON.parse(stdout.toString()) as Page
  }
  const types = async (query: string) => (await get(query)).events.map(({ type }) => type)

  test('the newest come first, with all that is known of them', async () => {
    const { events, next } = await get('')
    expect(events.map(({ type }) => type)).toEqual([
      'unitary',
      'kernel.oom-kill',
      'unit.started',
      'unit.failed',
      'unit.failed',
    ])
    expect(next).toBeUndefined()
    expect(events[1]).toEqual({
      id: 4,
      time: '2026-06-15T12:03:00.000000Z',
      bootId: BOOT,
      source: 'kernel',
      type: 'kernel.oom-kill',
      level: 'critical',
      subject: 'python3',
      message: 'it failed',
    })
  })

  test.each([
    ['level=error', ['kernel.oom-kill', 'unit.failed', 'unit.failed']],
    ['type=unit', ['unit.started', 'unit.failed', 'unit.failed']],
    ['type=unit.failed&boot=0', ['unit.failed']],
    ['source=kernel', ['kernel.oom-kill']],
    ['boot=-1', ['unit.failed']],
    ['boot=-2', []],
    [`boot=${BEFORE.replaceAll('-', '').toUpperCase()}`, ['unit.failed']],
    ['since=2026-06-15T12:02:30Z', ['unitary', 'kernel.oom-kill']],
    ['since=2026-06-15T12:01:00Z&until=2026-06-15T12:02:00Z', ['unit.started', 'unit.failed']],
    ['text=PYTHON', ['kernel.oom-kill']],
    ['text=%25', ['unitary']],
    ['before=3', ['unit.failed', 'unit.failed']],
  ])('?%s', async (query, expected) => {
    expect(await types(`?${query}`)).toEqual(expected)
  })

  test('pages lead through all of them, each once', async () => {
    const ids: number[] = []
    let at: string | undefined = '?limit=2&level=debug'
    let pages = 0
    for (; at !== undefined; pages++) {
      const page: Page = await get(at)
      ids.push(...page.events.map(({ id }) => id))
      at = page.next?.replace('/events', '')
    }
    expect(ids).toEqual([5, 4, 3, 2, 1])
    expect(pages).toBe(3)
  })

  test('the link to the next page is in the header, too, and lines of JSON can be had', async () => {
    const { stdout } = await curl(
      '-i',
      '-H',
      'Accept: application/x-ndjson',
      '--unix-socket',
      doors.socket,
      'http://localhost/events?limit=2',
    )
    const [head = '', body = ''] = stdout.toString().split('\r\n\r\n')
    expect(head).toContain('content-type: application/x-ndjson')
    expect(head).toContain('link: </events?limit=2&before=4>; rel="next"')
    const lines = body.trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as Shown).id)).toEqual([5, 4])
  })

  test.each([
    ['levl=error', 'levl: is not a parameter; accepted: level, type, source, boot, since, until, text, before, limit'],
    ['level=loud', 'level: "loud" is none of those accepted: debug, info, warning, error, critical'],
    ['source=me', 'source: "me" is none of those accepted: api, systemd, kernel'],
    ['boot=1', 'boot: "1" is not a boot; accepted: 0 (this boot), -1'],
    ['since=soon', 'since: "soon" is not a time after 1970; accepted: 30s'],
    ['limit=0', 'limit: "0" does not fit; accepted: whole numbers from 1 to 1000'],
    ['limit=1001', 'limit: "1001" does not fit; accepted: whole numbers from 1 to 1000'],
    ['before=x', 'before: "x" does not fit'],
    ['text=', 'text: has 0 characters; accepted: 1 to 256'],
    ['type=%27', 'type: "\'" is not the start of a type'],
    ['level=info&level=error', 'level: is given more than once; accepted: one value'],
  ])('?%s is refused, with what is accepted', async (query, detail) => {
    const answer = (await get(`?${query}`)) as unknown as { code: string; parameter: string; detail: string }
    expect(answer).toMatchObject({ code: 'bad-parameter', parameter: query.split('=')[0]! })
    expect(answer.detail).toContain(detail)
  })

  test('each scope opens its own', async () => {
    const status = async (scope: 'read' | 'write-events' | 'bundle', ...request: string[]) => {
      const token = await tokens.create(scope, [scope])
      const options = ['-o', '/dev/null', '-w', '%{http_code}', '-H', `Authorization: Bearer ${token}`]
      return (await curl(...options, ...request)).stdout.toString()
    }
    const url = `${doors.tcp}/events`
    const post = ['-H', 'Content-Type: application/json', '-d', '{"type":"test.scope"}', url]
    expect(await status('read', url)).toBe('200')
    expect(await status('read', `${url}/export`)).toBe('200')
    expect(await status('read', ...post)).toBe('403')
    expect(await status('write-events', url)).toBe('403')
    expect(await status('write-events', `${url}/export`)).toBe('403')
    expect(await status('bundle', url)).toBe('403')
    expect(await status('write-events', ...post)).toBe('201')
    expect((await curl('-o', '/dev/null', '-w', '%{http_code}', ...post)).stdout.toString()).toBe('401')
  })
})

describe('posting', () => {
  const HOUR = { timeMs: NOON_MS, monotonicMs: 60_000, bootId: BOOT }
  /** What reaches the recorder. */
  const posted = async (body: unknown) => {
    const { parseEvents } = await import('../../src/http/events-input.ts')
    return parseEvents(body, HOUR)
  }

  test('an event has the present moment and harmless defaults', async () => {
    expect(await posted({ type: 'provision.docker-install' })).toEqual([
      { ...HOUR, source: 'api', type: 'provision.docker-install', level: 'info', subject: '', message: '' },
    ])
  })

  test('status and duration go into the detail; what failed is an error', async () => {
    const body = { type: 'provision.x', status: 'failed', durationMs: 12.5, detail: { version: '27' } }
    expect(await posted([body])).toMatchObject([
      { level: 'error', detail: { version: '27', status: 'failed', durationMs: 12.5 } },
    ])
    expect(await posted({ ...body, level: 'warning' })).toMatchObject([{ level: 'warning' }])
  })

  test('of another moment nothing is known by the other clock', async () => {
    const [event] = await posted({ type: 'x', time: '2026-06-15T11:00:00Z' })
    expect(event).toMatchObject({ timeMs: NOON_MS - 3_600_000, bootId: BOOT })
    expect(event).not.toHaveProperty('monotonicMs')
  })

  test.each([
    ['text', '', '', 'is not an event; accepted: a JSON object, or a list of them'],
    [[], '', '', '0 events; accepted: 1 to 1000 in one request'],
    [Array.from({ length: 1001 }, () => ({ type: 'x' })), '', '', '1001 events; accepted: 1 to 1000'],
    [[{ type: 'x' }, null], '[1]', '[1]: ', 'is not an event'],
    [{}, 'type', 'type: ', 'nothing is not a type; accepted: words of letters'],
    [{ type: 'a b' }, 'type', 'type: ', '"a b" is not a type'],
    [{ type: 'x'.repeat(129) }, 'type', 'type: ', '"xxxx'],
    [
      { type: 'x', status: 'done' },
      'status',
      'status: ',
      '"done" is none of those accepted: started, finished, failed',
    ],
    [[{ type: 'x' }, { type: 'x', level: 3 }], '[1].level', '[1].level: ', '3 is none of those accepted: debug'],
    [{ type: 'x', subject: 3 }, 'subject', 'subject: ', '3 is not a text'],
    [{ type: 'x', message: ['a'] }, 'message', 'message: ', '["a"] is not a text'],
    [{ type: 'x', detail: [1] }, 'detail', 'detail: ', '[1] is not an object'],
    [{ type: 'x', time: 'soon' }, 'time', 'time: ', '"soon" is not a time after 1970'],
    [{ type: 'x', time: 5 }, 'time', 'time: ', '5 is not a time'],
    [{ type: 'x', durationMs: -1 }, 'durationMs', 'durationMs: ', '-1 is not a duration; accepted: milliseconds'],
    [{ type: 'x', source: 'kernel' }, 'source', 'source: ', 'is not a field; accepted: type, status, level'],
    [{ type: 'x', constructor: 1 }, 'constructor', 'constructor: ', 'is not a field'],
    [{ type: 'x', message: 'x'.repeat(65_536) }, '', '', 'has 65561 bytes; accepted: at most 65536'],
  ])('%j is refused', async (body, parameter, before, detail) => {
    const error = (await posted(body).catch((thrown: unknown) => thrown)) as Error & { parameter?: string }
    expect(error).toMatchObject({ code: 'bad-event', parameter: parameter === '' ? undefined : parameter })
    expect(error.message.slice(0, before.length + detail.length)).toBe(before + detail)
  })
})

describe('a daemon', () => {
  test('answers with the ids once the events are on the disk, masked; they are there after kill -9', async () => {
    const daemon = await startDaemon()
    const secret = `s3cr3t-${Math.random().toString(36).slice(2)}`
    const body = [
      { type: 'provision.a', status: 'started', message: `DB_PASSWORD=${secret}`, detail: { password: secret } },
      { type: 'provision.a', status: 'finished' },
    ]
    const answer = await daemon.ask('POST', '/events', body)
    daemon.running.child.kill('SIGKILL')
    expect(answer.status).toBe(201)
    const { ids } = answer.json() as { ids: number[] }
    expect(ids).toEqual([ids[0], ids[0]! + 1])
    await daemon.running.ended
    const db = new Database(join(daemon.state, 'events.db'), { readonly: true })
    onTestFinished(() => void db.close())
    const rows = db.prepare(`SELECT * FROM events WHERE source = 'api' ORDER BY id`).all() as Record<string, string>[]
    expect(rows.map(({ type, source }) => ({ type, source }))).toEqual([
      { type: 'provision.a', source: 'api' },
      { type: 'provision.a', source: 'api' },
    ])
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect(rows[0]!.message).toMatch(/^DB_PASSWORD=<masked:password:[0-9a-f]{6}>$/)
    expect(JSON.parse(rows[0]!.detail!)).toMatchObject({
      status: 'started',
      password: expect.stringMatching(/^<masked/) as string,
    })
  })

  test('masks what the configuration says is secret, and keeps no words when it cannot know that', async () => {
    const folder = ownFolder()
    const secret = `plover-${Math.random().toString(36).slice(2)}-7`
    writeFileSync(join(folder, 'secrets'), secret)
    const redaction = (path: string) => ({ DIAGD_REDACTION: JSON.stringify({ files: [join(folder, path)] }) })
    const masked = async (path: string) => {
      const daemon = await startDaemon(redaction(path), folder)
      expect((await daemon.ask('POST', '/events', { type: 'test.one', message: `says ${secret}` })).status).toBe(201)
      const { events } = (await daemon.ask('GET', '/events?type=test&limit=1')).json() as Page
      await daemon.stop()
      return events[0]!.message
    }
    expect(await masked('secrets')).toMatch(/^says <masked:live-value:[0-9a-f]{6}>$/)
    // A folder cannot be read as a file of secrets.
    expect(await masked('.')).toMatch(/^withheld, for it could not be masked: /)
  })

  test('says in /health that it records; its own end is the last event', async () => {
    const daemon = await startDaemon()
    await daemon.ask('POST', '/events', { type: 'test.one' })
    const health = (await daemon.ask('GET', '/health')).json() as { status: string; recorder: Record<string, unknown> }
    expect(health).toMatchObject({ status: 'ok', recorder: { state: 'recording', refusedEvents: 0 } })
    expect(health.recorder.sizeBytes).toBeGreaterThan(4096)
    expect((await daemon.stop()).code).toBe(0)
    const again = await startDaemon({}, daemon.folder)
    let events: Page['events'] = []
    while (events.length < 3) ({ events } = (await again.ask('GET', '/events?type=diagd')).json() as Page)
    expect(events.map(({ type }) => type)).toEqual(['diagd.started', 'diagd.stopped', 'diagd.started'])
  })

  test('records who got a bundle, and who was refused one', async () => {
    const daemon = await startDaemon()
    const bundle = await daemon.ask('GET', '/debug-package?only=packages')
    await daemon.ask('GET', '/debug-package?only=nothing')
    let events: Page['events'] = []
    while (events.length < 2) ({ events } = (await daemon.ask('GET', '/events?type=bundle')).json() as Page)
    expect(events.map(({ type, subject }) => ({ type, subject }))).toEqual([
      { type: 'bundle.refused', subject: 'bad-parameter' },
      { type: 'bundle.handed-over', subject: bundle.headers['x-diagd-bundle-id'] },
    ])
    expect(events[1]).toMatchObject({ message: expect.stringMatching(/^somebody at the unix socket got a /) as string })
  })

  test('hands over its database while it writes', async () => {
    const daemon = await startDaemon()
    await daemon.ask(
      'POST',
      '/events',
      Array.from({ length: 1000 }, (_, n) => ({ type: 'test.many', subject: `${n}` })),
    )
    let writing = true
    const writes = (async () => {
      while (writing) await daemon.ask('POST', '/events', { type: 'test.more' })
    })()
    const copies = await Promise.all([daemon.ask('GET', '/events/export'), daemon.ask('GET', '/events/export')])
    writing = false
    await writes
    for (const [index, { status, headers, body }] of copies.entries()) {
      expect(status).toBe(200)
      expect(headers).toMatchObject({
        'content-type': 'application/vnd.sqlite3',
        'content-length': String(body.length),
        'content-disposition': expect.stringMatching(
          /^attachment; filename="events-[\w.-]+-\d{8}T\d{6}Z\.db"$/,
        ) as string,
      })
      const path = join(daemon.folder, `copy-${index}.db`)
      writeFileSync(path, body)
      const db = new Database(path, { readonly: true })
      onTestFinished(() => void db.close())
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
      expect(db.prepare(`SELECT count(*) FROM events WHERE type = 'test.many'`).pluck().get()).toBe(1000)
    }
  })

  test('refuses more copies at once than it has threads for, and gives the places back', async () => {
    const daemon = await startDaemon()
    const many = { type: 'test.long', message: 'x'.repeat(4000) }
    for (let round = 0; round < 10; round++)
      await daemon.ask(
        'POST',
        '/events',
        Array.from({ length: 200 }, () => many),
      )
    // Clients that ask and do not read.
    const idle = await Promise.all([0, 1, 2, 3].map(() => holdExport(daemon.socket)))
    const refused = await daemon.ask('GET', '/events/export')
    expect(refused.status).toBe(429)
    expect(refused.headers['retry-after']).toBe('10')
    expect(refused.json()).toMatchObject({ code: 'too-many-exports' })
    for (const socket of idle) socket.destroy()
    let again = refused
    while (again.status === 429) again = await daemon.ask('GET', '/events/export')
    expect(again.status).toBe(200)
  })

  test.each([
    ['text/plain', '{"type":"x"}', 415, 'unsupported-media-type'],
    ['application/x-www-form-urlencoded', 'type=x', 415, 'unsupported-media-type'],
    ['application/json', '{"type":', 400, 'bad-request'],
    ['application/json', '{"type":"x","__proto__":{}}', 400, 'bad-request'],
    ['application/json', `"${'x'.repeat(1024 * 1024)}"`, 413, 'body-too-large'],
  ])('refuses %s %.20s', async (type, body, status, code) => {
    const daemon = await startDaemon()
    const answer = await daemon.ask('POST', '/events', body, { 'content-type': type })
    expect(answer.json()).toMatchObject({ status, code })
  })

  test('without SQLite it is off, says why, and does everything else', async () => {
    const daemon = await startDaemon({ NODE_OPTIONS: '--no-addons' })
    const answer = await daemon.ask('POST', '/events', { type: 'test.one' })
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('60')
    expect(answer.json()).toMatchObject({
      code: 'not-recording',
      detail: expect.stringContaining('ERR_DLOPEN_DISABLED') as string,
    })
    expect((await daemon.ask('GET', '/events')).status).toBe(503)
    expect((await daemon.ask('GET', '/health')).json()).toMatchObject({
      status: 'degraded',
      recorder: { state: 'off' },
      metrics: { state: 'off' },
      problems: [
        { key: 'events', message: expect.stringContaining('Events are not recorded') as string },
        { key: 'metrics', message: expect.stringContaining('Metrics are not recorded') as string },
      ],
    })
    expect((await daemon.ask('GET', '/debug-package?only=packages')).status).toBe(200)
    expect((await daemon.stop()).code).toBe(0)
  })

  test('told to record nothing, it is off and fine', async () => {
    const daemon = await startDaemon({ DIAGD_EVENTS: 'none' })
    expect((await daemon.ask('POST', '/events', { type: 'test.one' })).json()).toMatchObject({ code: 'not-recording' })
    expect((await daemon.ask('GET', '/health')).json()).toMatchObject({ status: 'ok', recorder: { state: 'off' } })
  })
})

/** Resolves when the first bytes of the answer are there. */
function holdExport(path: string) {
  const socket = connect(path, () => void socket.write('GET /events/export HTTP/1.1\r\nHost: localhost\r\n\r\n'))
  return new Promise<typeof socket>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('readable', () => {
      socket.off('error', reject).on('error', () => {})
      resolve(socket)
    })
  })
}
