import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../helpers/cli.ts'
import { ownFolder, startDaemon } from '../helpers/daemon.ts'

const surroundings = () => {
  const cwd = ownFolder()
  return { cwd, env: { DIAGD_SOCKET: join(cwd, 'diagd.sock') } }
}

test('a step of provisioning reaches the daemon, with everything that was said', async () => {
  const daemon = await startDaemon()
  const started = await daemon.run('event', 'provision.docker-install', '--status', 'started')
  expect({ ...started, stdout: started.stdout.toString() }).toEqual({ code: 0, stdout: '', stderr: '' })
  const options = ['--status', 'failed', '--subject', 'docker-ce', '--message', 'no such package', '--duration', '1.5s']
  const more = ['--detail', '{"version":"27.1"}', '--time', '2026-06-15T12:00:00Z', '--level', 'warning']
  expect((await daemon.run('event', 'provision.docker-install', ...options, ...more)).code).toBe(0)
  const { events } = (await daemon.ask('GET', '/events?source=api')).json() as { events: object[] }
  expect(events).toMatchObject([
    {
      type: 'provision.docker-install',
      time: '2026-06-15T12:00:00.000000Z',
      level: 'warning',
      subject: 'docker-ce',
      message: 'no such package',
      detail: { version: '27.1', status: 'failed', durationMs: 1500 },
    },
    { type: 'provision.docker-install', level: 'info', message: '', detail: { status: 'started' } },
  ])
})

test('where no daemon runs it says so and fails', async () => {
  const { cwd, env } = surroundings()
  const { code, stderr } = await run(['event', 'provision.x', '--status', 'started'], { cwd, env })
  expect(code).toBe(1)
  expect(stderr).toBe(`diagd: the event provision.x is not recorded: no diagd listens on ${env.DIAGD_SOCKET}\n`)
})

test('with --best-effort it says so and does not fail', async () => {
  const { code, stderr } = await run(['event', 'provision.x', '--best-effort'], surroundings())
  expect(code).toBe(0)
  expect(stderr).toContain('no diagd listens on')
})

test('a daemon that does not answer is not waited for', async () => {
  const { cwd, env } = surroundings()
  const server = createServer(() => {})
  await new Promise<void>((resolve) => server.listen(env.DIAGD_SOCKET, resolve))
  onTestFinished(() => void server.close())
  const { code, stderr } = await run(['event', 'provision.x'], { cwd, env })
  expect(code).toBe(1)
  expect(stderr).toMatch(/no answer on \S+ within 1\.5 s; it may be kept all the same\n$/)
})

test('what the daemon refuses is told in its words', async () => {
  const daemon = await startDaemon({ DIAGD_EVENTS: 'none' })
  const { code, stderr } = await daemon.run('event', 'provision.x')
  expect(code).toBe(1)
  expect(stderr).toContain('This is not recorded now: this diagd records no events')
})

test.each([
  [['a b'], 'type: "a b" is not a type; accepted: words of letters'],
  [['x', '--status', 'done'], 'status: "done" is none of those accepted: started, finished, failed'],
  [['x', '--level', 'loud'], 'level: "loud" is none of those accepted: debug'],
  [['x', '--detail', '{'], '--detail: is no JSON ('],
  [['x', '--detail', '[1]'], 'detail: [1] is not an object'],
  [['x', '--duration', '5'], '--duration: "5" is not a duration; accepted: 250ms'],
  [['x', '--time', 'soon'], 'time: "soon" is not a time after 1970'],
])('%j is refused before anybody is asked, also with --best-effort', async (args, words) => {
  const { code, stderr } = await run(['event', ...args, '--best-effort'], surroundings())
  expect(code).toBe(2)
  expect(stderr).toContain(`diagd: ${words}`)
})
