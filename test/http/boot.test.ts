import { expect, onTestFinished, test } from 'vitest'
import { bootTimelineText } from '../../src/collect/boot-timeline.ts'
import type { BundleDeps } from '../../src/collect/deps.ts'
import type { RecordedEvent } from '../../src/collector.ts'
import { createPlaces } from '../../src/http/places.ts'
import { recordedBoot } from '../helpers/boot.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'
import { fakeCommands, fixture, tree } from '../helpers/kit.ts'
import { testDeps, testRedaction } from '../helpers/make-bundle.ts'

const { bootId } = recordedBoot('first-boot')
const BEFORE = 'b'.repeat(32)
const LIST = [
  ` -1 ${BEFORE} Thu 2026-01-01 00:00:00 UTC—Thu 2026-01-01 12:00:00 UTC`,
  `  0 ${bootId.replaceAll('-', '')} Fri 2026-01-02 00:00:00 UTC—Fri 2026-01-02 12:00:00 UTC`,
].join('\n')

interface Shown {
  readonly schema: string
  readonly bootId: string
  readonly steps: readonly { readonly name: string; readonly source: string; readonly status: string }[]
}

/** A recorded boot on a machine of the test's own. */
async function asked(over: Partial<BundleDeps> = {}, places = createPlaces(2)) {
  const journal = fixture('boot/first-boot/journal.json')
  const root = await tree({ '/var/log/journal/1/system.journal': '' })
  const journalctl = `case "$*" in *list-boots*) echo '${LIST}';; *${BEFORE}*) ;; *) cat ${journal};; esac`
  const deps = testDeps({}, { root, path: await fakeCommands({ journalctl }), ...over })
  const host = { ...deps.host, bootId, systemd: false }
  const bootTimeline = (wish: Parameters<typeof bootTimelineText>[1], signal: AbortSignal) =>
    bootTimelineText({ ...deps, host }, wish, signal)
  const doors = await openDoors(depsOf({ bootTimeline, places, config: { ...depsOf().config, auth: 'none' } }))
  onTestFinished(() => doors.close())
  return async (query: string) => {
    const { stdout } = await curl('-w', '\n%{http_code} %{content_type}', `${doors.tcp}/boot${query}`)
    const [, body = '', status, type] = /^([^]*)\n(\d+) (.*)$/.exec(stdout.toString())!
    return { body, status: Number(status), type }
  }
}

test('this boot as data, as a table and as a picture', async () => {
  const ask = await asked()
  const data = await ask('')
  expect(data).toMatchObject({ status: 200, type: 'application/json; charset=utf-8' })
  const timeline = JSON.parse(data.body) as Shown
  expect(timeline).toMatchObject({ schema: 'diagd.boot-timeline/1', bootId: bootId.replaceAll('-', '') })
  expect(timeline.steps.length).toBeGreaterThan(5)
  const table = await ask('?boot=0&format=txt')
  expect(table).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' })
  expect(table.body).toContain('never-ended')
  const picture = await ask(`?boot=${bootId}&format=svg`)
  expect(picture).toMatchObject({ status: 200, type: 'image/svg+xml' })
  expect(picture.body).toMatch(/^<svg [^]*<\/svg>\s*$/)
})

test('the boot before, also by its id', async () => {
  const ask = await asked()
  for (const boot of ['-1', BEFORE]) {
    const { status, body } = await ask(`?boot=${boot}`)
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ bootId: BEFORE })
  }
})

test('what was reported is in it, masked', async () => {
  const secret = `s3cr3t${Math.random().toString(36).slice(2)}`
  const report = (id: number, status: string, message: string): RecordedEvent => ({
    id,
    bootId,
    timeMs: Date.UTC(2026, 0, 2),
    monotonicMs: 10_000 + id * 1000,
    source: 'api',
    level: 'info',
    type: 'provision.docker-install',
    subject: '',
    message,
    detail: { status },
  })
  const events = [report(2, 'failed', `DB_PASSWORD=${secret}`), report(1, 'started', '')]
  const newest = async ({ typePrefix }: { typePrefix?: string }) => (typePrefix === 'provision' ? events : [])
  const recorded = { newest, open: () => Promise.reject(new Error('not asked')), setAside: async () => [], origin: '' }
  const { body } = await (await asked({ recorded }))('')
  expect((JSON.parse(body) as Shown).steps).toContainEqual(
    expect.objectContaining({ name: 'docker-install', source: 'provision', status: 'failed' }),
  )
  expect(body).not.toContain(secret)
  expect(body).toContain('<masked:password:')
})

test('where the mask cannot be trusted, nothing is handed over', async () => {
  const values = () => Promise.reject(new Error('/etc/secrets cannot be read'))
  const { status, body } = await (await asked({ redaction: { ...testRedaction(), values } }))('')
  expect(status).toBe(500)
  expect(JSON.parse(body)).toMatchObject({
    code: 'bundle-failed',
    detail: expect.stringContaining('/etc/secrets') as string,
  })
})

test.each([
  ['boot=-2', 404, 'not-found', 'the journal knows this boot (0) and 1 before it; -2 is none of them'],
  [`boot=${'c'.repeat(32)}`, 404, 'not-found', 'the journal knows this boot (0) and 1 before it'],
  ['boot=1', 400, 'bad-parameter', 'boot: "1" is not a boot; accepted: 0 (this boot), -1'],
  ['boot=last', 400, 'bad-parameter', 'boot: "last" is not a boot'],
  ['format=png', 400, 'bad-parameter', 'format: "png" is not a format; accepted: json, txt, svg'],
  ['bot=0', 400, 'bad-parameter', 'bot: is not a parameter; accepted: boot, format'],
])('?%s is refused', async (query, status, code, detail) => {
  const answer = await (await asked())(`?${query}`)
  expect(answer.status).toBe(status)
  expect(JSON.parse(answer.body)).toMatchObject({ code, detail: expect.stringContaining(detail) as string })
})

test('it takes the place of a bundle while it runs', async () => {
  const places = createPlaces(1)
  const ask = await asked({}, places)
  const giveBack = places.take('tcp')!
  expect(JSON.parse((await ask('')).body)).toMatchObject({ status: 429, code: 'too-many-bundles' })
  giveBack()
  expect((await ask('')).status).toBe(200)
  expect((await ask('?boot=-9')).status).toBe(404)
  expect(places.running).toBe(0)
})

test('of a daemon: a step that was reported to it, in /boot and in the bundle', async () => {
  const daemon = await startDaemon()
  await daemon.run('event', 'provision.docker-install', '--status', 'started')
  const { steps } = (await daemon.ask('GET', '/boot')).json() as Shown
  const step = { name: 'docker-install', source: 'provision', status: 'running' }
  expect(steps).toContainEqual(expect.objectContaining(step))
  const { stdout } = await daemon.run('collect', '--only', 'boot', '-o', '-', '--format', 'tar')
  expect(stdout.toString()).toMatch(/"name": "docker-install",\s+"source": "provision"/)
})
