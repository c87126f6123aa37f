import { expect, onTestFinished, test } from 'vitest'
import type { ContainersPart } from '../../src/http/containers.ts'
import type { KeptContainer } from '../../src/record/containers/container.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'

const NOON = Date.UTC(2026, 5, 15, 12)
const config = { ...depsOf().config, auth: 'none' as const }

function container(name: string, more: Partial<KeptContainer> = {}): KeptContainer {
  const id = Buffer.from(name).toString('hex').padEnd(64, '0')
  const log = { lines: 2, diskBytes: 4096, dropped: { flood: 0, cap: 0, withheld: 0 }, ambiguous: 0 }
  const folder = `/state/containers/rootful/${id}`
  return { id, name, image: 'app', engine: 'rootful', state: 'running', createdMs: NOON, folder, log, ...more }
}

const KEPT = [
  container('old', { createdMs: NOON - 60_000 }),
  container('web', {
    engine: 'podman',
    health: { status: 'healthy', log: [{ startedMs: NOON, exitCode: 0, output: 'fine' }] },
    use: { timeMs: NOON + 1, memoryBytes: 5 },
  }),
  container('gone', { state: 'removed', removedMs: NOON + 5000, createdMs: NOON - 1000, exitCode: 3 }),
]

interface Answer {
  readonly status: number
  readonly json: Record<string, unknown> & { readonly containers: readonly { readonly name: string }[] }
}

async function asked(query: string, more: Partial<ContainersPart> = {}): Promise<Answer> {
  const containers: ContainersPart = {
    flush: async () => {},
    list: async () => KEPT,
    health: () => ({ state: 'following', problems: [], engines: [] }),
    masked: async (text) => text,
    ...more,
  }
  return ask(query, containers)
}

async function ask(query: string, containers: ContainersPart | undefined, ...options: string[]): Promise<Answer> {
  const doors = await openDoors(depsOf({ config, containers }))
  onTestFinished(() => doors.close())
  const { stdout } = await curl('-w', '\n%{http_code}', ...options, `${doors.tcp}/containers${query}`)
  const [, body = '', status] = /^([^]*)\n(\d+)$/.exec(stdout.toString())!
  return { status: Number(status), json: JSON.parse(body) as Answer['json'] }
}

const names = ({ json }: Answer) => json.containers.map(({ name }) => name)

test('the newest first, with times as other routes have them, and nothing of where its files are', async () => {
  const answer = await asked('')
  expect(names(answer)).toEqual(['web', 'gone', 'old'])
  expect(answer.json).toMatchObject({ state: 'following', engines: [], total: 3 })
  const [web, gone] = answer.json.containers
  expect(web).toEqual({
    id: '776562'.padEnd(64, '0'),
    name: 'web',
    image: 'app',
    engine: 'podman',
    state: 'running',
    created: '2026-06-15T12:00:00.000000Z',
    log: { lines: 2, diskBytes: 4096, dropped: { flood: 0, cap: 0, withheld: 0 }, ambiguous: 0 },
    health: { status: 'healthy', log: [{ started: '2026-06-15T12:00:00.000000Z', exitCode: 0, output: 'fine' }] },
    use: { time: '2026-06-15T12:00:00.001000Z', memoryBytes: 5 },
  })
  expect(gone).toMatchObject({ state: 'removed', removed: '2026-06-15T12:00:05.000000Z', exitCode: 3 })
})

test.each([
  ['?state=removed', ['gone']],
  ['?engine=podman', ['web']],
  ['?name=old', ['old']],
  ['?name=676f6e650000', ['gone']],
  ['?name=676f6e65000', []],
  ['?name=ol', []],
  ['?limit=1', ['web']],
  ['?limit=0', []],
])('%s', async (query, expected) => {
  expect(names(await asked(query))).toEqual(expected)
})

test('what engines handed over is on the disk before it is listed; for limit=0 nothing is listed', async () => {
  const order: string[] = []
  const part = {
    flush: async () => void order.push('flush'),
    list: async () => {
      order.push('list')
      return KEPT
    },
  }
  await asked('', part)
  expect(order).toEqual(['flush', 'list'])
  expect((await asked('?limit=0', part)).json).not.toHaveProperty('total')
  expect(order).toEqual(['flush', 'list', 'flush'])
})

test('what is known to be secret by now is masked', async () => {
  const answer = await asked('?name=web', { masked: async (text) => text.replaceAll('fine', '<masked>') })
  expect(JSON.stringify(answer.json)).toContain('<masked>')
  expect(JSON.stringify(answer.json)).not.toContain('fine')
})

test.each([
  ['?states=removed', 'states', 'accepted: state, engine, name, limit'],
  ['?state=dead', 'state', '"dead" is none of those accepted: created, running, paused, exited, removed'],
  ['?engine=', 'engine', 'accepted: the label of an engine'],
  ['?name=', 'name', 'accepted: the name of a container, or 12 to 64 digits of its id'],
  ['?limit=10001', 'limit', '"10001" does not fit; accepted: whole numbers from 0 to 10000'],
  ['?limit=1&limit=2', 'limit', ''],
])('%s is refused, with what is accepted', async (query, parameter, words) => {
  const { status, json } = await asked(query)
  expect({ status, ...json }).toMatchObject({ status: 400, code: 'bad-parameter', parameter })
  expect(json['detail']).toContain(words)
})

test('with containers: none it says so; a disk that cannot be read is told; another method is refused', async () => {
  expect((await ask('', undefined)).json).toMatchObject({
    code: 'not-recording',
    detail: 'this diagd follows no containers: the configuration says containers: none',
  })
  const broken = await asked('', { list: () => Promise.reject(new Error('no answer')) })
  expect(broken).toMatchObject({ status: 503, json: { detail: 'what is kept cannot be read: no answer' } })
  expect(await ask('', undefined, '-X', 'POST')).toMatchObject({ status: 405, json: { code: 'method-not-allowed' } })
})
