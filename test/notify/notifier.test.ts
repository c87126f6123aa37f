import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createNotifier } from '../../src/notify/notifier.ts'
import type { Notifier, NotifierOptions } from '../../src/notify/notifier.ts'
import { temporaryFolder } from '../helpers/archive.ts'
import { openNotifySocket } from '../helpers/notify-socket.ts'

let folder: ReturnType<typeof temporaryFolder>
let warnings: string[] = []
let notifiers: Notifier[] = []

beforeEach(() => {
  folder = temporaryFolder()
  warnings = []
  notifiers = []
})

afterEach(async () => {
  await Promise.all(notifiers.map((notifier) => notifier.stopping('the test is over')))
  folder.remove()
})

function create(environment: NotifierOptions['environment'], options: Partial<NotifierOptions> = {}): Notifier {
  const notifier = createNotifier({ environment, warn: (message) => warnings.push(message), ...options })
  notifiers.push(notifier)
  return notifier
}

/** A `systemd-notify` that writes down its arguments, and does what the script says. */
function fake(script = ''): { path: string; calls: () => string[] } {
  const log = join(folder.path, 'calls')
  const file = join(folder.path, 'systemd-notify')
  writeFileSync(log, '')
  writeFileSync(file, `#!/bin/sh\n${script}\nprintf '%s|' "$@" >>${log}; echo "$NOTIFY_SOCKET" >>${log}\n`)
  chmodSync(file, 0o755)
  return { path: `${folder.path}:/usr/bin:/bin`, calls: () => readFileSync(log, 'utf8').trim().split('\n') }
}

describe.each(['path', 'abstract'])('a socket with a %s name', (kind) => {
  test('hears that it serves and how, that it lives, and that it goes', async () => {
    const name = kind === 'path' ? join(folder.path, 'notify') : `@diagd-test-${process.pid}`
    const socket = await openNotifySocket(name)
    const notifier = create({ NOTIFY_SOCKET: name, WATCHDOG_USEC: '80000', WATCHDOG_PID: `${process.pid}` })
    let status = 'listens\non a door'
    notifier.serving(() => status)
    expect(await socket.hears(/STATUS/)).toBe('READY=1 | STATUS=listens on a door')
    expect(await socket.hears(/WATCHDOG=1/)).toBe('READY=1 | WATCHDOG=1')
    status = 'degraded'
    expect(await socket.hears(/STATUS=degraded/)).toBe('READY=1 | WATCHDOG=1 | STATUS=degraded')
    await notifier.stopping('stops')
    expect(socket.messages.at(-1)).toBe('STOPPING=1 | STATUS=stops')
    expect(warnings).toEqual([])
    socket.close()
  })
})

test('nobody asked to be told: nothing is run', async () => {
  const { path, calls } = fake()
  const notifier = create({ WATCHDOG_USEC: '1000' }, { path })
  notifier.serving(() => 'listens')
  await notifier.failed('no')
  expect(calls()).toEqual([''])
})

test('a failed start is told before the promise resolves', async () => {
  const { path, calls } = fake()
  await create({ NOTIFY_SOCKET: '/run/x' }, { path }).failed('cannot start: no\n room')
  expect(calls()).toEqual(['STATUS=cannot start: no room|/run/x'])
})

test('a watchdog of another process is not fed; the status is shown when it changes', async () => {
  const { path, calls } = fake()
  const notifier = create({ NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '4000', WATCHDOG_PID: '1' }, { path, beatMs: 5 })
  const asked = Promise.withResolvers<void>()
  let times = 0
  notifier.serving(() => {
    times += 1
    if (times === 9) asked.resolve()
    return times > 5 ? 'degraded' : 'fine'
  })
  await asked.promise
  await notifier.failed('end')
  expect(calls()).toEqual(['READY=1|STATUS=fine|/run/x', 'STATUS=degraded|/run/x', 'STATUS=end|/run/x'])
})

test('what cannot be told is said once, and harms nothing', async () => {
  const { path } = fake('echo "no such thing" >&2; exit 1')
  const notifier = create({ NOTIFY_SOCKET: '/run/x' }, { path })
  await notifier.failed('a')
  await notifier.failed('b')
  expect(warnings).toEqual(['systemd cannot be told how diagd is (said once): no such thing'])
})

test('no systemd-notify: said once too', async () => {
  await create({ NOTIFY_SOCKET: '/run/x' }, { path: folder.path }).failed('a')
  expect(warnings).toEqual([expect.stringContaining('there is no systemd-notify') as string])
})

test('its environment is the socket and what a command gets', async () => {
  process.env.DIAGD_TEST_SECRET = 'x'
  const { path, calls } = fake('set -- "$@" "$(env | sort | cut -d= -f1 | tr "\\n" ,)"')
  await create({ NOTIFY_SOCKET: '@x' }, { path }).failed('a')
  delete process.env.DIAGD_TEST_SECRET
  expect(calls()).toEqual(['STATUS=a|LC_ALL,NOTIFY_SOCKET,PATH,PWD,|@x'])
})
