import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { extract } from '../helpers/archive.ts'
import { ownFolder, startDaemon, type TestDaemon } from '../helpers/daemon.ts'

interface Row {
  readonly path: string
  readonly outcome: string
  readonly detail?: string
  readonly origin?: string
  readonly masked?: Record<string, number>
}

/** What a bundle says of events. */
function look(bundle: Buffer) {
  const files = new Map([...extract(bundle)].map(([path, content]) => [path.replace(/^[^/]+\//, ''), content]))
  const { rows } = JSON.parse(files.get('manifest.json')!.toString()) as { rows: Row[] }
  return {
    rows,
    row: (name: string) => rows.find(({ path }) => path === `events/${name}`),
    file: (name: string) => files.get(`events/${name}`),
    recent: files.get('events/recent.txt')?.toString() ?? '',
  }
}

function opened(bytes: Buffer): Database.Database {
  const path = join(ownFolder(), 'copy.db')
  writeFileSync(path, bytes)
  const db = new Database(path, { readonly: true })
  onTestFinished(() => void db.close())
  return db
}

function expectWhole(bytes: Buffer | undefined, subjects: readonly string[]): void {
  const db = opened(bytes!)
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  const sql = `SELECT subject FROM events WHERE type = 'test.one' ORDER BY id`
  expect(db.prepare(sql).pluck().all()).toEqual(subjects)
}

const post = (daemon: TestDaemon, subject: string) => daemon.ask('POST', '/events', { type: 'test.one', subject })

async function collectedBeside(daemon: TestDaemon, ...options: string[]) {
  const { stdout, code } = await daemon.run('collect', '--only', 'events', '-o', '-', ...options)
  return { code, ...look(stdout) }
}

test('a bundle of the daemon has the table and the database, though bytes in it look like secrets', async () => {
  const daemon = await startDaemon()
  // Columns stand side by side in the file: a rule of the mask sees a secret there that is none.
  const pairs = Array.from({ length: 200 }, (_, n) => ({
    type: 'test.pair',
    subject: 'PASSWORD=',
    message: `Xk7-${n}-plover`,
  }))
  await daemon.ask('POST', '/events', pairs)
  await post(daemon, 'a')
  await post(daemon, 'b')
  const { file, recent, row } = look((await daemon.ask('GET', '/debug-package?only=events')).body)
  expectWhole(file('events.db'), ['a', 'b'])
  expect(recent).toMatch(/test\.one +b\n[^]*test\.one +a\n/)
  expect(row('events.db')).toMatchObject({ outcome: 'ok', origin: join(daemon.state, 'events.db') })
})

test('beside a daemon: through its socket', async () => {
  const daemon = await startDaemon()
  await post(daemon, 'a')
  const { code, file, recent, row } = await collectedBeside(daemon)
  expect(code).toBe(0)
  expectWhole(file('events.db'), ['a'])
  expect(recent).toMatch(/test\.one +a\n/)
  expect(row('events.db')!.origin).toBe(`unix:${daemon.socket} /events/export`)
})

test('beside a daemon that hangs, and beside a dead one: from the files, which stay as they are', async () => {
  const daemon = await startDaemon()
  await post(daemon, 'a')
  daemon.running.child.kill('SIGSTOP')
  const hung = await collectedBeside(daemon)
  daemon.running.child.kill('SIGCONT')
  await post(daemon, 'b')
  daemon.running.child.kill('SIGKILL')
  await daemon.running.ended
  const files = ['events.db', 'events.db-wal'].map((name) => join(daemon.state, name))
  const before = files.map((path) => readFileSync(path))
  const dead = await collectedBeside(daemon)
  expect(files.map((path) => readFileSync(path))).toEqual(before)
  for (const [{ file, recent, row }, subjects] of [
    [hung, ['a']],
    [dead, ['a', 'b']],
  ] as const) {
    expectWhole(file('events.db'), subjects)
    expect(recent).toMatch(/test\.one +a\n/)
    expect(row('events.db')!.origin).toBe(join(daemon.state, 'events.db'))
  }
})

test('beside a daemon that was stopped: nothing is left in its folder, and nothing there is touched', async () => {
  const daemon = await startDaemon()
  await post(daemon, 'a')
  await daemon.stop()
  const before = lookOf(daemon.state)
  expect(before.map(([name]) => name)).toContain('events.db')
  expect(before.map(([name]) => name)).not.toContain('events.db-wal')
  const { stdout } = await daemon.run('collect', '-o', '-')
  expect(lookOf(daemon.state)).toEqual(before)
  const { file, recent, row } = look(stdout)
  expectWhole(file('events.db'), ['a'])
  expect(recent).toMatch(/test\.one +a\n/)
  expect(row('events.db')).toMatchObject({ outcome: 'ok', origin: join(daemon.state, 'events.db') })
})

/** What shows that somebody wrote: names, sizes, times. */
function lookOf(folder: string): [name: string, stats: string][] {
  return readdirSync(folder).map((name) => {
    const { ino, size, mtimeNs, ctimeNs } = statSync(join(folder, name), { bigint: true })
    return [name, `${ino} ${size} ${mtimeNs} ${ctimeNs}`]
  })
}

test('what was recorded before a value was known to be secret is told with a mask, once it is known', async () => {
  const [secret, socket] = ['quiet-Heron-42', join(ownFolder(), 'engine.sock')]
  const answers: Record<string, unknown> = {
    '/containers/json?all=1': [{ Id: 'c1', Names: ['/app'], Image: 'app', State: 'running' }],
    '/containers/c1/json': { Id: 'c1', Config: { Env: [`DB_PASSWORD=${secret}`] } },
  }
  const engine = createServer(({ url = '' }, response) => {
    const found = answers[url.replace(/^\/v[\d.]+/, '')]
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(found ?? {}))
  })
  onTestFinished(() => void engine.close())
  await new Promise<void>((resolve) => engine.listen(socket, resolve))
  const daemon = await startDaemon({ DIAGD_ENGINES: `unix://${socket}` })
  const event = {
    type: 'test.one',
    subject: `for ${secret}`,
    message: `connects with ${secret}.`,
    detail: { args: ['-p', secret] },
  }
  await daemon.ask('POST', '/events', event)
  const told = async () =>
    ((await daemon.ask('GET', '/events?type=test')).json() as { events: (typeof event)[] }).events
  expect(await told()).toMatchObject([event])
  await daemon.ask('GET', '/debug-package?only=events')
  const mask = expect.stringMatching(/<masked:live-value:[0-9a-f]{6}>/) as string
  const masked = { subject: mask, message: mask, detail: { args: ['-p', mask] } }
  expect(await told()).toMatchObject([masked])
  expect(JSON.stringify(await told())).not.toContain(secret)
  // What comes from now on is stored so.
  await daemon.ask('POST', '/events', event)
  await daemon.stop()
  const db = new Database(join(daemon.state, 'events.db'), { readonly: true })
  onTestFinished(() => void db.close())
  const stored = db.prepare(`SELECT message FROM events WHERE type = 'test.one' ORDER BY id`).pluck().all()
  expect(stored).toEqual([event.message, mask])
})

test('where nothing was ever recorded it is skipped, with the reason', async () => {
  const daemon = await startDaemon({ DIAGD_EVENTS: 'none' })
  await daemon.stop()
  expect((await collectedBeside(daemon)).rows).toMatchObject([
    { path: 'events/recent.txt', outcome: 'skipped', detail: expect.stringContaining('events: none') as string },
    { path: 'events/events.db', outcome: 'skipped' },
  ])
  daemon.environment.DIAGD_EVENTS = ''
  const { rows } = await collectedBeside(daemon)
  const absent = `${join(daemon.state, 'events.db')} does not exist`
  expect(rows).toMatchObject([
    { path: 'events/recent.txt', outcome: 'skipped', detail: absent },
    {
      path: 'events/events.db',
      outcome: 'skipped',
      detail: `no diagd to ask (${daemon.socket} does not exist), and ${absent}`,
    },
  ])
})

test('a database that was set aside is handed over as it is; one of somebody else is not', async () => {
  const daemon = await startDaemon()
  await daemon.stop()
  const damaged = Buffer.from('SQLite format 3\0 password=hunter2hunter2 and nothing else\0'.repeat(100))
  writeFileSync(join(daemon.state, 'events.db'), damaged)
  const foreign = 'events.db.foreign-20260615T120000000Z'
  writeFileSync(join(daemon.state, foreign), 'somebody else\n')
  const again = await startDaemon({}, daemon.folder)
  await post(again, 'a')
  const { rows, file } = look((await again.ask('GET', '/debug-package?only=events')).body)
  const aside = rows.find(({ path }) => path.startsWith('events/set-aside/events.db.damaged-'))!
  expect(aside.outcome).toBe('ok')
  expect(file(aside.path.slice('events/'.length))).toEqual(damaged)
  expect(rows.find(({ path }) => path === `events/set-aside/${foreign}`)).toMatchObject({ outcome: 'withheld' })
  const { problems } = (await again.ask('GET', '/health')).json() as { problems: object[] }
  expect(problems).toMatchObject([{ key: 'events', message: expect.stringContaining('set aside') as string }])
})

test('what the mask cannot do to a database keeps it back: pseudonyms, and when the mask is not to be trusted', async () => {
  const daemon = await startDaemon()
  await post(daemon, 'a')
  const pseudonymized = look((await daemon.ask('GET', '/debug-package?only=events&pseudonymize=1')).body)
  expect(pseudonymized.row('events.db')).toMatchObject({
    outcome: 'skipped',
    detail: 'its texts are masked, and not pseudonymized',
  })
  expect(pseudonymized.row('recent.txt')!.outcome).toBe('ok')
  // A file of secrets that cannot be read: a folder.
  daemon.environment.DIAGD_REDACTION = JSON.stringify({ files: [daemon.folder] })
  const { row, file } = await collectedBeside(daemon)
  expect(row('events.db')!.outcome).toBe('withheld')
  expect(file('events.db')).toBeUndefined()
})

test('a value that is known to be secret only now is gone from what was recorded before', async () => {
  const daemon = await startDaemon()
  const secret = `Tr0ub4dor-${Math.random().toString(36).slice(2)}`
  const events = Array.from({ length: 300 }, (_, n) => ({
    type: 'test.one',
    subject: `${n}`,
    message: `with ${secret} in it`,
  }))
  await daemon.ask('POST', '/events', [
    ...events,
    { type: 'test.one', subject: 'json', detail: { said: `"${secret}"` } },
  ])
  expect((await daemon.ask('GET', '/events/export')).body.includes(secret)).toBe(true)
  writeFileSync(join(daemon.folder, 'secrets'), `${secret}\n`)
  daemon.environment.DIAGD_REDACTION = JSON.stringify({ files: [join(daemon.folder, 'secrets')] })
  const { file, row, recent } = await collectedBeside(daemon)
  const copy = file('events.db')!
  expect(copy.includes(secret)).toBe(false)
  expectWhole(copy, [...events.map(({ subject }) => subject), 'json'])
  const messages = opened(copy).prepare(`SELECT DISTINCT message FROM events WHERE type = 'test.one'`).pluck().all()
  expect(messages).toEqual([`with ${'*'.repeat(secret.length)} in it`, ''])
  const { outcome, masked } = row('events.db')!
  expect(outcome).toBe('ok')
  // Pages hold copies of rows that were moved, too.
  expect(masked!['live-value']).toBeGreaterThanOrEqual(301)
  expect(recent).toMatch(/with <masked:live-value:[0-9a-f]{6}> in it/)
})

test('over its limit the database is left out, and says so', async () => {
  const daemon = await startDaemon()
  await post(daemon, 'a')
  const { row } = look((await daemon.ask('GET', '/debug-package?only=events&limits=entry=20KiB')).body)
  expect(row('events.db')).toMatchObject({ outcome: 'partial', detail: expect.stringMatching(/^left out: /) as string })
})

test('the summary tells of it, also beside a dead daemon', async () => {
  const daemon = await startDaemon()
  await daemon.ask('POST', '/events', [
    { type: 'provision.docker-install', status: 'started' },
    { type: 'deploy.web', level: 'critical' },
  ])
  const bundle = (await daemon.ask('GET', '/debug-package?only=events')).body
  daemon.running.child.kill('SIGKILL')
  await daemon.running.ended
  const { stdout } = await daemon.run('collect', '--only', 'events', '-o', '-')
  for (const bytes of [bundle, stdout]) {
    const [, summary] = [...extract(bytes)].find(([path]) => path.endsWith('/summary.txt'))!
    const text = summary.toString()
    expect(text).toMatch(/^recorded {10}1 error, \d+ warnings? since boot \(events\/recent\.txt\)$/m)
    expect(text).toMatch(/^slowest steps {5}provision\.docker-install: begun \S+Z, not ended$/m)
    expect(text).not.toContain('deploy.web')
  }
})
