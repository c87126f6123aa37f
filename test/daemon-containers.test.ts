/** A daemon that follows a real engine: what its routes tell of containers that are gone, across its own restarts. */
import { expect, test } from 'vitest'
import { startDaemon, ownFolder, type TestDaemon } from './helpers/daemon.ts'
import { describeWithDocker, sh } from './helpers/docker.ts'

interface Answer {
  readonly state: string
  readonly engines: readonly Record<string, unknown>[]
  readonly containers: readonly (Record<string, unknown> & { readonly log: Record<string, unknown> })[]
  readonly total: number
}

const SECRET = 'Tr0ub4dor-and-3'

async function containers(daemon: TestDaemon, query = ''): Promise<Answer> {
  const answer = await daemon.ask('GET', `/containers${query}`)
  expect(answer.status).toBe(200)
  expect(answer.body.toString()).not.toContain(SECRET)
  return answer.json() as Answer
}

/** Asks until it is so: nothing else tells. */
async function becomes(daemon: TestDaemon, query: string, fits: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await containers(daemon, query)
    if (fits(answer)) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const follows = ({ engines }: Answer) =>
  engines.some(({ label, state }) => label === 'configured' && state === 'following')
const isWhole = ({ containers: all }: Answer) => all.length > 0 && all.every(({ logComplete }) => logComplete === true)

function following(socket: string, folder = ownFolder(), more: Record<string, string> = {}): Promise<TestDaemon> {
  return startDaemon({ DIAGD_CONTAINERS: '{}', DIAGD_ENGINES: socket, ...more }, folder)
}

interface Told {
  readonly type: string
  readonly subject: string
  readonly message: string
}

/** Waits for the newest: events are stored a little later. */
async function events(daemon: TestDaemon, query: string, newest: (event: Told) => boolean): Promise<Told[]> {
  for (;;) {
    const { events: told } = (await daemon.ask('GET', `/events?${query}`)).json() as { events: Told[] }
    if (told.some((event) => newest(event))) return told
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describeWithDocker('a daemon beside an engine', (docker) => {
  test('tells of a container that is gone, with its end, and still does after a restart and a kill -9', async () => {
    const daemon = await following(docker().socket)
    await becomes(daemon, '', follows)
    const id = await docker().run('worker', {
      Cmd: sh(`echo "password is $DB_PASSWORD"; echo second; exit 3`),
      Env: [`DB_PASSWORD=${SECRET}`],
    })
    await docker().ask('DELETE', `/containers/${id}`)
    const gone = await becomes(daemon, '?name=worker&state=removed', isWhole)
    const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string
    expect(gone).toMatchObject({
      state: 'following',
      total: 1,
      containers: [
        {
          id,
          name: 'worker',
          image: 'busybox',
          engine: 'configured',
          state: 'removed',
          exitCode: 3,
          created: iso,
          started: iso,
          finished: iso,
          removed: iso,
          log: { lines: 2, dropped: { flood: 0, cap: 0, withheld: 0 }, ambiguous: 0 },
        },
      ],
    })
    expect(Object.keys(gone.containers[0]!)).not.toContain('folder')
    const ofWorker = ({ type, subject }: Told) => subject === 'worker' && type === 'container.destroy'
    const told = await events(daemon, 'type=container', ofWorker)
    expect(told.filter(({ subject }) => subject === 'worker').map(({ type }) => type)).toEqual([
      'container.destroy',
      'container.die',
      'container.start',
      'container.create',
    ])
    await events(daemon, 'type=engine.followed', ({ subject }) => subject === 'configured')
    const metrics = (await daemon.ask('GET', '/metrics')).body.toString()
    expect(metrics).toMatch(/^diagd_container_engines_followed [1-9]/m)
    expect(Number(/^diagd_container_lines_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(2)
    expect(metrics).toContain('diagd_container_lines_dropped_total{reason="flood"} 0')
    const health = (await daemon.ask('GET', '/health')).json() as { containers: object }
    expect(health.containers).toMatchObject({ state: 'following', lines: expect.any(Number) as number })
    await daemon.stop()

    const again = await following(docker().socket, daemon.folder)
    const kept = await containers(again, `?name=${id.slice(0, 12)}`)
    expect(kept.containers).toEqual(gone.containers)
    again.running.child.kill('SIGKILL')
    await again.running.ended
    const last = await following(docker().socket, daemon.folder)
    expect((await containers(last, '?state=removed')).containers).toEqual(gone.containers)
    await last.stop()
  })

  test('what a container was told is masked in events that come afterwards', async () => {
    const daemon = await following(docker().socket)
    await becomes(daemon, '', follows)
    await docker().run('told', { Cmd: ['true'], Env: [`API_TOKEN=${SECRET}`] })
    await becomes(daemon, '?name=told', isWhole)
    await daemon.ask('POST', '/events', { type: 'test.one', message: `it was ${SECRET} all the time` })
    const [event] = await events(daemon, 'type=test.one', () => true)
    expect(event!.message).toMatch(/^it was <masked:live-value:\w+> all the time$/)
    await daemon.stop()
  })
})
