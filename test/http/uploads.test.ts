import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { UploadsPart } from '../../src/http/uploads.ts'
import { StoreError } from '../../src/record/store/error.ts'
import type { Hold } from '../../src/upload/due/limits.ts'
import type { UploadRecord, UploadWish } from '../../src/upload/upload.ts'
import { curl, depsOf, openDoors, type Doors } from '../helpers/http.ts'
import { createTokens, type TestTokens } from '../helpers/tokens.ts'

const NOON_MS = Date.UTC(2026, 5, 15, 12)

const record = (wish: UploadWish, more: Partial<UploadRecord> = {}): UploadRecord => ({
  id: 7,
  trigger: wish.trigger,
  reason: wish.reason,
  parameters: wish.parameters,
  timeMs: NOON_MS,
  createdMs: NOON_MS,
  bootId: 'b',
  state: 'waiting',
  tries: 0,
  nextTryMs: NOON_MS,
  ...more,
})

let wishes: UploadWish[] = []
let listed: unknown[] = []
let kept: readonly UploadRecord[] = []
let waiting = 0
let held: Hold | 'off' | undefined
let refusal: Error | undefined

const part: UploadsPart = {
  parameters: { since: '1h', limits: 'bundle=1GiB' },
  masked: async (text) => text.replace('hunter2', '(masked)'),
  triggers: {
    async ask(due, parameters) {
      if (held !== undefined) return held
      wishes.push({ ...due, parameters })
      return record(wishes.at(-1)!)
    },
  },
  uploads: {
    async request(wish) {
      if (refusal) throw refusal
      wishes.push(wish)
      return record(wish)
    },
    async list(filter) {
      listed.push(filter)
      return kept
    },
    get: async (id) => kept.find((one) => one.id === id),
    health: () => ({ state: 'ready', waiting, running: false, problems: [] }),
  },
}

let doors: Doors
let without: Doors
let tokens: TestTokens

beforeAll(async () => {
  tokens = createTokens()
  doors = await openDoors(depsOf({ uploads: part, tokens: tokens.store }))
  without = await openDoors(depsOf())
})
afterAll(async () => {
  await doors.close()
  await without.close()
  tokens.remove()
})
beforeEach(() => {
  ;[wishes, listed, kept, waiting, held, refusal] = [[], [], [], 0, undefined, undefined]
})

interface Answered {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: string
}

async function ask(path: string, ...options: string[]): Promise<Answered> {
  return asked('-i', ...options, '--unix-socket', doors.socket, `http://localhost${path}`)
}

async function asked(...args: string[]): Promise<Answered> {
  const text = (await curl(...args)).stdout.toString()
  const [headers = '', body = ''] = text.split('\r\n\r\n')
  return { status: Number(headers.split(' ')[1]), headers, body: JSON.parse(body) as Answered['body'] }
}

const post = (body: unknown, ...options: string[]) =>
  ask('/uploads', '-H', 'content-type: application/json', '-d', JSON.stringify(body), ...options)

describe('POST /uploads', () => {
  test('with nothing asks for what the configuration says', async () => {
    const { status, headers, body } = await ask('/uploads', '-X', 'POST')
    expect(status).toBe(202)
    expect(headers).toMatch(/^location: \/uploads\/7\r?$/im)
    expect(body).toMatchObject({ id: 7, state: 'waiting', trigger: 'request', time: '2026-06-15T12:00:00.000Z' })
    expect(wishes).toMatchObject([{ trigger: 'request', reason: 'asked for by unix socket', parameters: {} }])
  })

  test('the reason is told in one line, masked, with who asked', async () => {
    await post({ reason: 'login fails\nwith hunter2' })
    expect(wishes).toMatchObject([{ reason: 'login fails with (masked) (unix socket)' }])
  })

  test('parameters are those of a bundle, as texts', async () => {
    await post({ parameters: { only: ['kernel', 'boot'], compression: 9, pseudonymize: true } })
    expect(wishes).toMatchObject([{ parameters: { only: 'kernel,boot', compression: '9', pseudonymize: 'true' } }])
  })

  test('of a window the moments are kept, and those of the configuration do not stand in its way', async () => {
    await post({ parameters: { around: '2026-06-15T12:00:00Z', only: 'kernel' } })
    await post({ parameters: { since: '@1767225600' } })
    expect(wishes.map(({ parameters }) => parameters)).toEqual([
      { only: 'kernel', since: '2026-06-15T11:30:00.000Z', until: '2026-06-15T12:30:00.000Z' },
      { since: '2026-01-01T00:00:00.000Z' },
    ])
  })

  test.each([
    [['a'], 'the body is not a JSON object', undefined],
    [{ why: 'x' }, 'why: is not a field; accepted: reason, parameters, trigger', 'why'],
    [{ reason: 7 }, 'reason: 7 is not a text', 'reason'],
    [{ reason: 'x'.repeat(501) }, 'reason: has 501 characters; accepted: at most 500', 'reason'],
    [{ trigger: 'container' }, 'trigger: "container" is none of those accepted: request, shutdown', 'trigger'],
    [{ parameters: 'x' }, 'parameters: "x" is not an object', 'parameters'],
    [{ parameters: { unmasked: 'true' } }, 'unmasked: is not a parameter; accepted: only, skip', 'unmasked'],
    [{ parameters: { only: 'nothing' } }, 'only: "nothing" is not a collector', 'only'],
    [{ parameters: { since: { a: 1 } } }, 'parameters.since: {"a":1} is not a text', 'parameters.since'],
    [{ parameters: { limits: 'x' } }, 'limits: ', 'limits'],
  ])('%j is refused', async (body, words, parameter) => {
    const answer = await post(body)
    expect([answer.status, answer.body.code, answer.body.parameter]).toEqual([400, 'bad-parameter', parameter])
    expect(answer.body.detail).toContain(words)
    expect(wishes).toEqual([])
  })

  test('text is refused: a page of another site can send that', async () => {
    const { status } = await ask('/uploads', '-H', 'content-type: text/plain', '-d', '{}')
    expect(status).toBe(415)
  })

  test('what curl sends without a type is told what would do', async () => {
    const { status, body } = await ask('/uploads', '-d', '{}')
    expect([status, body.code]).toEqual([415, 'unsupported-media-type'])
    expect(body.detail).toContain("curl -H 'Content-Type: application/json'")
  })

  test('when too many wait', async () => {
    waiting = 100
    const { status, headers, body } = await post({})
    expect([status, body.code]).toEqual([429, 'too-many-uploads'])
    expect(headers).toMatch(/^retry-after: 60/im)
  })

  test('when it cannot be kept', async () => {
    refusal = new StoreError('paused', 'the disk is full')
    expect(await post({})).toMatchObject({ status: 503, body: { code: 'not-recording', detail: 'the disk is full' } })
  })

  test('where nothing is sent', async () => {
    const url = 'http://localhost/uploads'
    const socket = ['-i', '--unix-socket', without.socket]
    expect(await asked(...socket, '-X', 'POST', url)).toMatchObject({ status: 409, body: { code: 'uploads-off' } })
    expect(await asked(...socket, url)).toMatchObject({ status: 409, body: { code: 'uploads-off' } })
  })

  test('a shutdown is asked of the triggers, with a reason of its own', async () => {
    expect((await post({ trigger: 'shutdown' })).status).toBe(202)
    expect(wishes).toMatchObject([{ trigger: 'shutdown', reason: 'the machine goes down' }])
  })

  test.each([
    ['off', 409, 'uploads-off', 'the trigger shutdown is switched off'],
    ['debounce', 429, 'too-many-uploads', 'one was sent shortly before'],
    ['cap', 429, 'too-many-uploads', 'as many were sent in 24 hours'],
    ['store', 503, 'not-recording', 'the outbox does not take it'],
  ] as const)('a shutdown that is held back: %s', async (hold, status, code, words) => {
    held = hold
    const answer = await post({ trigger: 'shutdown' })
    expect(answer).toMatchObject({ status, body: { code } })
    expect(answer.body.detail).toContain(words)
  })
})

describe('over TCP', () => {
  const tcp = (token: string, ...options: string[]) =>
    asked('-i', '-H', `authorization: Bearer ${token}`, ...options, `${doors.tcp}/uploads`)

  test('a control plane asks with a token of the scope upload, and nobody with another', async () => {
    const plane = await tokens.create('plane', ['upload'])
    const reader = await tokens.create('reader', ['read', 'bundle', 'write-events'])
    expect((await tcp(plane, '-X', 'POST')).status).toBe(202)
    expect(wishes).toMatchObject([{ reason: 'asked for by plane' }])
    expect(await tcp(reader, '-X', 'POST')).toMatchObject({ status: 403, body: { code: 'insufficient-scope' } })
    expect((await tcp(reader)).status).toBe(200)
    expect(await tcp(plane)).toMatchObject({ status: 403, body: { code: 'insufficient-scope' } })
    expect(wishes).toHaveLength(1)
  })
})

describe('GET /uploads', () => {
  const wish: UploadWish = { trigger: 'unit', reason: 'it failed', parameters: { since: '1h' }, timeMs: NOON_MS }

  test('tells of each what is known, and times as everywhere', async () => {
    const failure = { kind: 'no-bucket', message: 'there is no such bucket', permanent: true } as const
    const done = { state: 'uploaded', startedMs: NOON_MS + 1, finishedMs: NOON_MS + 2, sizeBytes: 9 } as const
    const sent = { bundleId: 'debug-x', key: 'x/y', sha256: 'ab', verified: true, outcome: 'whole' } as const
    kept = [
      record(wish, { ...done, ...sent, multipartId: 'secret-like', nextTryMs: NOON_MS + 3 }),
      record(wish, { id: 6, lastError: { ...failure, retryAfterMs: 5 }, tries: 3, timeMs: NOON_MS - 1000 }),
    ]
    const { body } = await ask('/uploads')
    expect(body).toEqual({
      uploads: [
        {
          id: 7,
          state: 'uploaded',
          trigger: 'unit',
          reason: 'it failed',
          time: '2026-06-15T12:00:00.000Z',
          created: '2026-06-15T12:00:00.000Z',
          started: '2026-06-15T12:00:00.001Z',
          finished: '2026-06-15T12:00:00.002Z',
          tries: 0,
          nextTry: '2026-06-15T12:00:00.003Z',
          parameters: { since: '1h' },
          bootId: 'b',
          sizeBytes: 9,
          ...sent,
        },
        {
          id: 6,
          state: 'waiting',
          trigger: 'unit',
          reason: 'it failed',
          time: '2026-06-15T11:59:59.000Z',
          created: '2026-06-15T12:00:00.000Z',
          tries: 3,
          nextTry: '2026-06-15T12:00:00.000Z',
          lastError: failure,
          parameters: { since: '1h' },
          bootId: 'b',
        },
      ],
    })
  })

  test('asks for a state and a number', async () => {
    await ask('/uploads')
    await ask('/uploads?state=gave-up&limit=1000')
    expect(listed).toEqual([{ limit: 100 }, { limit: 1000, state: 'gave-up' }])
  })

  test.each([
    ['state=done', 'state: "done" is none of those accepted: waiting, running'],
    ['limit=0', 'limit: "0" does not fit; accepted: whole numbers from 1 to 1000'],
    ['limit=1001', 'limit: "1001" does not fit'],
    ['limit=5&limit=6', 'limit: is given more than once'],
    ['before=3', 'before: is not a parameter; accepted: state, limit'],
  ])('?%s is refused', async (query, words) => {
    const { status, body } = await ask(`/uploads?${query}`)
    expect([status, body.code]).toEqual([400, 'bad-parameter'])
    expect(body.detail).toContain(words)
  })

  test('one by its id', async () => {
    kept = [record(wish)]
    expect(await ask('/uploads/7')).toMatchObject({ status: 200, body: { id: 7 } })
    const refused = async (id: string) => (await ask(`/uploads/${id}`)).body
    expect(await refused('8')).toMatchObject({ status: 404, detail: expect.stringContaining('no upload 8;') as string })
    expect(await refused('07')).toMatchObject({ status: 404, detail: expect.stringContaining('"07"') as string })
  })
})
