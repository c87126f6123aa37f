import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { run } from '../helpers/cli.ts'
import { ownFolder, startDaemon } from '../helpers/daemon.ts'

const surroundings = () => {
  const cwd = ownFolder()
  return { cwd, env: { DIAGD_SOCKET: join(cwd, 'diagd.sock') } }
}

const waiting = {
  id: 7,
  state: 'waiting',
  trigger: 'request',
  reason: 'x',
  created: '2026-06-15T12:00:00.000Z',
  tries: 0,
}
const arrived = { ...waiting, state: 'uploaded', key: 'web-1/a.tar.gz', sizeBytes: 5 * 1024 * 1024, verified: true }

interface Asked {
  readonly request: string
  readonly body: unknown
}

/** What answers instead of a daemon: each question gets the next answer, the last one again and again. */
async function answering(...answers: { status: number; body: unknown }[]) {
  const { cwd, env } = surroundings()
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      asked.push({ request: `${request.method} ${request.url}`, body })
      const next = answers.length > 1 ? answers.shift()! : answers[0]!
      response.writeHead(next.status, { 'content-type': 'application/json' }).end(JSON.stringify(next.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(env.DIAGD_SOCKET, resolve))
  onTestFinished(() => void server.close())
  const upload = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(['upload', ...args], { cwd, env })
    return { code, stdout: stdout.toString(), stderr }
  }
  return { asked, upload }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const text = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString()
  return text === '' ? undefined : JSON.parse(text)
}

describe('asking for one', () => {
  test('tells that it is under way, and has the wish as it was given', async () => {
    const it = await answering({ status: 202, body: waiting })
    const wish = ['--reason', 'why', '--only', 'kernel', '--only', 'boot', '--since', '2h', '--limits', 'bundle=5MiB']
    expect(await it.upload(...wish)).toEqual({
      code: 0,
      stdout: '',
      stderr: 'diagd: upload 7 is under way; diagd upload --list tells what becomes of it\n',
    })
    const parameters = { only: 'kernel,boot', since: '2h', limits: 'bundle=5MiB' }
    expect(it.asked).toEqual([{ request: 'POST /uploads', body: { reason: 'why', trigger: 'request', parameters } }])
  })

  test('with --json it is the record', async () => {
    const it = await answering({ status: 202, body: waiting })
    const { code, stdout, stderr } = await it.upload('--json')
    expect([code, JSON.parse(stdout), stderr]).toEqual([0, waiting, ''])
  })

  test.each([
    ['request', 409, 'uploads-off', 1],
    ['request', 429, 'too-many-uploads', 1],
    ['request', 400, 'bad-parameter', 2],
    ['shutdown', 409, 'uploads-off', 0],
    ['shutdown', 429, 'too-many-uploads', 0],
    ['shutdown', 503, 'not-recording', 1],
  ])('%s that is refused with %i %s exits with %i', async (trigger, status, code, expected) => {
    const it = await answering({ status, body: { code, title: 'Title', detail: 'detail' } })
    const ran = await it.upload('--trigger', trigger)
    expect(ran).toEqual({ code: expected, stdout: '', stderr: 'diagd: nothing is sent: Title: detail\n' })
  })

  test('where no daemon runs it says so and fails', async () => {
    const { cwd, env } = surroundings()
    const { code, stderr } = await run(['upload'], { cwd, env })
    expect([code, stderr]).toEqual([1, `diagd: no diagd listens on ${env.DIAGD_SOCKET}\n`])
  })

  test.each([
    [['--timeout', 'soon'], '--timeout: "soon" is not a time; accepted: 30s'],
    [['--trigger', 'unit'], 'Allowed choices are request, shutdown'],
    [['--timeout', '5m'], '--timeout: says how long --wait waits; without it nobody does'],
    [['--list', '--wait'], "option '--list' cannot be used with option '--wait'"],
    [['--list', '--limits', 'none'], "option '--list' cannot be used with option '--limits <limits>'"],
  ])('%j is refused', async (args, words) => {
    const { code, stderr } = await run(['upload', ...args], surroundings())
    expect(code).toBe(2)
    expect(stderr).toContain(words)
  })
})

describe('waiting for it', () => {
  const failed = (permanent: boolean) => ({
    ...waiting,
    tries: 1,
    nextTry: '2026-06-15T12:05:00.000Z',
    lastError: { kind: 'no-bucket', message: 'there is none', permanent },
  })

  test('ends when it is there, and tells where', async () => {
    const it = await answering(
      { status: 202, body: waiting },
      { status: 200, body: { ...waiting, state: 'running' } },
      { status: 200, body: failed(false) },
      { status: 200, body: { ...arrived, outcome: 'whole' } },
    )
    expect(await it.upload('--wait')).toEqual({
      code: 0,
      stdout: 'upload 7 is there: web-1/a.tar.gz (5.0 MiB, verified)\n',
      stderr: '',
    })
    expect(it.asked.map(({ request }) => request)).toEqual(['POST /uploads', ...Array(3).fill('GET /uploads/7')])
  })

  test('one with something missing in it exits with 3', async () => {
    const it = await answering({ status: 202, body: { ...arrived, outcome: 'partial' } })
    expect(await it.upload('--wait')).toEqual({
      code: 3,
      stdout:
        'upload 7 is there: web-1/a.tar.gz (5.0 MiB, verified, partial: its manifest.json names what is withheld or missing)\n',
      stderr: '',
    })
  })

  test('ends at once where somebody has to change something', async () => {
    const it = await answering({ status: 202, body: waiting }, { status: 200, body: failed(true) })
    expect(await it.upload('--wait')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'diagd: upload 7 failed, no-bucket: there is none; it is tried again at 2026-06-15T12:05:00.000Z, ' +
        'or within half a minute of a restart of diagd or of another upload that arrives\n',
    })
  })

  test('ends when it is given up', async () => {
    const gone = { ...failed(true), state: 'gave-up', tries: 9 }
    const it = await answering({ status: 202, body: waiting }, { status: 200, body: gone })
    const { code, stdout, stderr } = await it.upload('--wait', '--json')
    expect([code, JSON.parse(stdout)]).toEqual([1, gone])
    expect(stderr).toContain('upload 7 is given up after 9 tries: no-bucket: there is none')
  })

  test('not longer than it is told to', async () => {
    const it = await answering({ status: 202, body: waiting }, { status: 200, body: failed(false) })
    const { code, stderr } = await it.upload('--wait', '--timeout', '1s')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^diagd: upload 7 is not there in time: upload 7 failed, no-bucket: .*\. It goes on\n$/)
  })

  test('a machine that goes down does not wait for a try that would come too late', async () => {
    const late = { ...failed(false), trigger: 'shutdown', nextTry: new Date(Date.now() + 3_600_000).toISOString() }
    const it = await answering({ status: 202, body: { ...waiting, trigger: 'shutdown' } }, { status: 200, body: late })
    const { code, stderr } = await it.upload('--trigger', 'shutdown', '--wait', '--timeout', '50m')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^diagd: upload 7 is not there in time: upload 7 failed, no-bucket: /)
  })
})

describe('--list', () => {
  const uploads = [
    { ...arrived, id: 12, reason: 'a\x1b[31m' },
    { ...waiting, lastError: { kind: 'forbidden', message: 'x', permanent: true }, nextTry: 'T' },
  ]

  test('shows what became of those before', async () => {
    const it = await answering({ status: 200, body: { uploads } })
    const { code, stdout } = await it.upload('--list')
    expect([code, it.asked[0]!.request]).toEqual([0, 'GET /uploads'])
    expect(stdout.split('\n')).toEqual([
      'ID  CREATED                   TRIGGER  STATE     WHAT',
      String.raw`12  2026-06-15T12:00:00.000Z  request  uploaded  web-1/a.tar.gz (5.0 MiB); a\x1b[31m`,
      '7   2026-06-15T12:00:00.000Z  request  waiting   forbidden, again at T; x',
      '',
    ])
  })

  test('as JSON, one a line', async () => {
    const it = await answering({ status: 200, body: { uploads } })
    const { stdout } = await it.upload('--list', '--json')
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(uploads)
  })

  test('check names a collector that there is not', async () => {
    const { cwd, env } = surroundings()
    const uploads = '{target: "s3://bundles", bundle: {only: nothing}}'
    const { code, stderr } = await run(['check'], { cwd, env: { ...env, DIAGD_UPLOADS: uploads } })
    expect(code).toBe(2)
    expect(stderr).toContain('diagd: uploads: no bundle can be made with what "bundle" says: only: "nothing" is not')
  })

  test('a daemon that sends nothing says so', async () => {
    const daemon = await startDaemon()
    const { code, stderr } = await daemon.run('upload', '--list')
    expect([code, stderr]).toEqual([1, 'diagd: This diagd sends no bundles: uploads is none in the configuration\n'])
  })
})
