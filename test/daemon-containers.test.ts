/** A daemon that follows a real engine: what its routes tell of containers that are gone, across its own restarts. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { rulesVersion } from '../src/record/containers/follow/secrets.ts'
import { inflateSegment } from '../src/record/containers/keep/segment.ts'
import { keptBeside } from '../src/record/kept-here.ts'
import { nodeKey } from '../src/redact/node-key.ts'
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

/** All but what its files take: they are written anew. */
const evidence = ({ containers: all }: Answer) => all.map((one) => ({ ...one, log: { ...one.log, diskBytes: 0 } }))

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
    expect(evidence(kept)).toEqual(evidence(gone))
    again.running.child.kill('SIGKILL')
    await again.running.ended
    const last = await following(docker().socket, daemon.folder)
    expect(evidence(await containers(last, '?name=worker'))).toEqual(evidence(gone))
    await last.stop()
  })

  test('a container has its name in metrics, and what it used last stays with it', async () => {
    const daemon = await following(docker().socket, ownFolder(), { DIAGD_METRICS: '{interval: 1s}' })
    await becomes(daemon, '', follows)
    // Its peak is twenty times what it has at the end.
    const peak = 'x=$(seq 400000); x=; '
    const id = await docker().start('user', { Cmd: sh(`${peak}trap "exit 0" USR1; while :; do sleep 0.05; done`) })
    const metrics = async () => (await daemon.ask('GET', '/metrics')).body.toString()
    const samples = async () => Number(/^diagd_samples_stored (\d+)$/m.exec(await metrics())?.[1] ?? 0)
    const named = new RegExp(
      `^container_memory_usage_bytes{[^}]*container_id="${id.slice(0, 12)}"[^}]*name="user"`,
      'm',
    )
    while (!named.test(await metrics())) await new Promise((resolve) => setTimeout(resolve, 50))
    // It is in these, and what it used is at hand.
    for (const before = await samples(); (await samples()) < before + 3;);
    await docker().ask('POST', `/containers/${id}/kill?signal=USR1`)
    const gone = await becomes(daemon, '?name=user&state=exited', isWhole)
    expect(gone.containers[0]).toMatchObject({ exitCode: 0, use: { time: expect.any(String) as string } })
    const { memoryBytes, memoryPeakBytes, processes } = gone.containers[0]!['use'] as Record<string, number>
    expect(memoryPeakBytes).toBeGreaterThan(memoryBytes! + 1024 * 1024)
    // The shell, and mostly a sleep.
    expect([1, 2]).toContain(processes)
    await daemon.stop()
  })

  test('a container that is called otherwise has its new name in metrics from then on, and its history', async () => {
    const daemon = await following(docker().socket, ownFolder(), { DIAGD_METRICS: '{interval: 1s}' })
    await becomes(daemon, '', follows)
    const id = await docker().start('earlier', { Cmd: ['sleep', '600'] })
    const short = id.slice(0, 12)
    const metrics = async () => (await daemon.ask('GET', '/metrics')).body.toString()
    const names = async () => {
      const lines = [...(await metrics()).matchAll(/^container_memory_usage_bytes{([^}]*)}/gm)].map(
        ([, labels]) => labels!,
      )
      return lines.filter((labels) => labels.includes(short)).map((labels) => /\bname="([^"]*)"/.exec(labels)?.[1])
    }
    const history = async () => {
      const range = await daemon.ask('GET', '/metrics/range?since=10m&step=1s&columns=container.memory_usage_bytes')
      const { series } = range.json() as {
        series: { labels: Record<string, string>; samples: number[]; timesMs: number[] }[]
      }
      return series.filter(({ labels }) => labels['id'] === short)
    }
    while ((await names())[0] !== 'earlier') await new Promise((resolve) => setTimeout(resolve, 50))
    while ((await history())[0]?.labels['name'] !== 'earlier') await new Promise((resolve) => setTimeout(resolve, 50))
    const before = await history()
    await docker().ask('POST', `/containers/${id}/rename?name=later`)
    while ((await names())[0] !== 'later') await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await names()).toEqual(['later'])
    while ((await history())[0]?.labels['name'] !== 'later') await new Promise((resolve) => setTimeout(resolve, 50))
    // One series: what was measured under its old name belongs to it, and an event tells what that was.
    const after = await history()
    expect(after).toHaveLength(1)
    expect(after[0]!.timesMs).toEqual(expect.arrayContaining(before[0]!.timesMs))
    expect(after[0]!.timesMs.length).toBeGreaterThan(before[0]!.timesMs.length)
    const [renamed] = await events(daemon, 'type=container.rename', () => true)
    expect(renamed).toMatchObject({
      subject: 'later',
      detail: { id, oldName: expect.stringMatching(/^\/?earlier$/) as string },
    })
    expect(await containers(daemon, '?name=later')).toMatchObject({ containers: [{ id, name: 'later' }] })
    await docker().ask('DELETE', `/containers/${id}?force=1`)
    await daemon.stop()
  })

  test('an end while diagd was killed and its engine forgot is told once, and makes a bundle due', async () => {
    const folder = ownFolder()
    const uploads = { target: 's3://bundles/{name}', endpoint: 'http://127.0.0.1:9', bundle: { only: 'kernel' } }
    const keys = { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' }
    const start = () => following(docker().socket, folder, { DIAGD_UPLOADS: JSON.stringify(uploads), ...keys })
    const killed = async ({ running }: TestDaemon) => {
      running.child.kill('SIGKILL')
      await running.ended
    }
    const daemon = await start()
    await becomes(daemon, '', follows)
    const id = await docker().start('unheard', {
      Cmd: sh('trap "exit 9" USR1; echo ready; while :; do sleep 0.01; done'),
    })
    await becomes(daemon, '?name=unheard&state=running', ({ containers: [one] }) => one?.log['lines'] === 1)
    await killed(daemon)
    await docker().ask('POST', `/containers/${id}/kill?signal=USR1`)
    await docker().ask('POST', `/containers/${id}/wait`)
    await docker().restart('SIGKILL')

    const ofUnheard = ({ subject }: Told) => subject === 'unheard'
    const again = await start()
    await events(again, 'type=container.die', ofUnheard)
    const kept = await becomes(again, '?name=unheard', isWhole)
    expect(kept.containers[0]).toMatchObject({ state: 'exited', exitCode: 9 })
    const dueFor = async () => {
      const { uploads: all } = (await again.ask('GET', '/uploads')).json() as { uploads: Record<string, unknown>[] }
      return all.filter(({ trigger }) => trigger === 'container').map(({ reason }) => reason)
    }
    while ((await dueFor()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await dueFor()).toEqual([expect.stringContaining('container unheard')])
    await killed(again)

    const last = await start()
    await docker().run('heard', { Cmd: ['true'] })
    const told = await events(last, 'type=container.die', ({ subject }) => subject === 'heard')
    expect(told.filter(ofUnheard)).toMatchObject([
      { time: kept.containers[0]!['finished'], detail: { id, exitCode: '9', toldBy: 'inspect' } },
    ])
    await last.stop()
  })

  test('a bundle beside the daemon asks it to write what it has, and reads it where it is', async () => {
    const daemon = await following(docker().socket)
    await becomes(daemon, '', follows)
    await docker().run('said', { Cmd: sh('echo "a last word"') })
    await becomes(daemon, '?name=said', isWhole)
    const masks = { nodeKey: await nodeKey(join(daemon.state, 'redaction.key')), settings: {} }
    const kept = keptBeside(daemon.socket, daemon.state, () => masks)
    await kept.flush()
    const said = (await kept.list()).find(({ name }) => name === 'said')!
    const pieces: string[] = []
    for await (const piece of kept.log(said))
      pieces.push(('segment' in piece ? inflateSegment(piece.segment) : piece.text).toString())
    expect(pieces.join('')).toMatch(/^\S+Z stdout F a last word\n$/)
    expect(JSON.parse((await kept.document(said, 'inspect.json'))!.toString())).toMatchObject({ Id: said.id })
    const { rules, values } = await kept.maskedWith([])
    expect([rules, values]).toEqual([rulesVersion({}), 0])
    expect(await kept.maskedWith(['never seen'])).toEqual({ rules, values: Infinity })
    await docker().run('teller', { Cmd: ['true'], Env: [`DB_PASSWORD=${SECRET}`] })
    await becomes(daemon, '?name=teller', isWhole)
    expect((await kept.maskedWith([SECRET])).values).toBeGreaterThan(0)
    expect((await kept.maskedWith([SECRET])).values).toBeLessThan(Infinity)
    await daemon.stop()
    await kept.flush()
    expect((await kept.list()).some(({ name }) => name === 'said')).toBe(true)
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

describe('without an engine to follow', () => {
  test('with containers: none nothing is followed, and it says so', async () => {
    const daemon = await startDaemon({ DIAGD_CONTAINERS: 'none' })
    const answer = await daemon.ask('GET', '/containers')
    expect([answer.status, answer.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'not-recording', detail: expect.stringContaining('containers: none') as string }),
    ])
    const { status, containers: health } = (await daemon.ask('GET', '/health')).json() as Record<string, unknown>
    expect([status, health]).toEqual(['ok', { state: 'off' }])
    expect((await daemon.ask('GET', '/metrics')).body.toString()).not.toContain('diagd_container_lines')
    expect(existsSync(join(daemon.state, 'containers'))).toBe(false)
    await daemon.stop()
  })

  test('a socket that is not there is waited for; a wrong limit is told by its name, and the usual ones stand in', async () => {
    const daemon = await following('/nonexistent/docker.sock', ownFolder(), { DIAGD_CONTAINERS: '{maxSize: 1MiB}' })
    const { engines } = await becomes(daemon, '?limit=0', (answer) => answer.engines.length > 0)
    expect(engines).toContainEqual(
      expect.objectContaining({ socket: '/nonexistent/docker.sock', state: 'waiting', problem: 'it does not exist' }),
    )
    const { problems } = (await daemon.ask('GET', '/health')).json() as { problems: { key: string; message: string }[] }
    expect(problems).toContainEqual({
      key: 'DIAGD_CONTAINERS',
      message: expect.stringContaining('maxSize "1MiB" is not a size from 16MiB to 64GiB') as string,
    })
    await daemon.stop()
  })

  test('beside no daemon, and without a state folder, there is nothing', async () => {
    const kept = keptBeside('/nonexistent/diagd.sock', '/nonexistent', () => ({
      nodeKey: { bytes: new Uint8Array(32), kept: 'process' },
      settings: 'unknown',
    }))
    await kept.flush()
    expect(await kept.list()).toEqual([])
    expect(await kept.maskedWith(['one'])).toEqual({ rules: undefined, values: Infinity })
  })
})
