import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { restartConsequences } from '../../collectors/lib/systemd-restart.ts'
import systemd from '../../collectors/systemd.ts'
import { described, fakeCommands, testKit, tree } from '../helpers/kit.ts'

const listed = `containerd.service     loaded    active   running containerd container runtime
docker.service         loaded    active   running Docker Application Container Engine
docker.socket          loaded    active   running Docker Socket for the API
shop.service           loaded    active   running Shop
shop-worker.service    loaded    failed   failed  Worker of the shop
loop.service           loaded    activating auto-restart Starts and dies
auditd.service         not-found inactive dead    auditd.service
ssh.service            loaded    active   running OpenBSD Secure Shell server`

/** As `systemctl show` of systemd 252 prints them. */
const shown = `Id=docker.service
Names=docker.service
RequiredBy=shop.service
BoundBy=
ConsistsOf=proxy.service idle.service
TriggeredBy=docker.socket
ActiveState=active
KillMode=process

Id=docker.socket
Names=docker.socket
RequiredBy=docker.service
ActiveState=active

Id=shop.service
Names=shop.service shop-alias.service
BoundBy=shop-worker.service
ActiveState=active

Id=shop-worker.service
Names=shop-worker.service
RequiredBy=docker.service
ActiveState=activating

Id=proxy.service
Names=proxy.service
ActiveState=active

Id=idle.service
Names=idle.service
ActiveState=inactive
`

const systemctl = `case "$1" in
list-units) cat <<'END'
${listed}
END
;;
show) cat <<'END'
${shown}
END
;;
esac`

async function collected(options: { systemctl?: string; watchedUnits?: string[]; root?: string } = {}) {
  const bin = await fakeCommands({ systemctl: options.systemctl ?? systemctl })
  const root = options.root ?? (await tree({}))
  return described(systemd, testKit({ root, bin, self: { watchedUnits: options.watchedUnits ?? [] } }))
}

test('a service that fails again and again is named with its restarts, though its state is not "failed"', async () => {
  const show = `Id=calm.service
NRestarts=0
ActiveState=active

NRestarts=2
Id=core.service
ActiveState=failed
SubState=failed
Result=core-dump
ExecMainCode=3
ExecMainStatus=11

Id=flapping.service
NRestarts=40
ActiveState=activating
SubState=auto-restart
Result=exit-code
ExecMainCode=1
ExecMainStatus=4`
  const answer = `case "$1" in show) cat <<'END'\n${show}\nEND\n;; esac`
  const entries = await collected({ systemctl: answer })
  expect(entries.names).toEqual(expect.arrayContaining(['status/flapping.service.txt', 'status/core.service.txt']))
  const text = await entries.value('restarts.txt')
  const rows = String(text)
    .trim()
    .split('\n')
    .slice(-2)
    .map((row) => row.trim().split(/ {2,}/))
  expect(rows).toEqual([
    ['40', 'flapping.service', 'activating (auto-restart)', 'exit-code', 'exit code 4'],
    ['2', 'core.service', 'failed (failed)', 'core-dump', 'signal 11, core dumped'],
  ])
})

describe('units looked at one by one', () => {
  test('are those that failed or keep failing first, then the well-known ones that exist', async () => {
    const statuses = (await collected()).names.filter((name) => name?.startsWith('status/'))
    expect(statuses).toEqual([
      'status/shop-worker.service.txt',
      'status/loop.service.txt',
      'status/containerd.service.txt',
      'status/docker.service.txt',
      'status/docker.socket.txt',
      'status/ssh.service.txt',
    ])
  })

  test('include the watched units, named with or without .service, but none that does not exist', async () => {
    const entries = await collected({ watchedUnits: ['shop', 'auditd.service', 'nothing'] })
    expect(entries.names).toContain('status/shop.service.txt')
    expect(entries.names).not.toContain('status/auditd.service.txt')
    expect(entries.names).not.toContain('status/nothing.service.txt')
  })

  test('may be in any state: the exit code of systemctl status is part of the answer', async () => {
    const entries = await collected()
    expect(entries.named('status/shop-worker.service.txt').accepted).toEqual([1, 2, 3, 4])
    expect(entries.named('is-system-running.txt').accepted).toEqual([1])
  })
})

describe('what a restart takes down', () => {
  test('follows Requires=, BindsTo= and PartOf= from unit to unit, over active units only', () => {
    expect(restartConsequences(shown, 'docker.service')).toEqual([
      { unit: 'shop.service', because: 'Requires=docker.service' },
      { unit: 'proxy.service', because: 'PartOf=docker.service' },
      { unit: 'shop-worker.service', because: 'BindsTo=shop.service' },
    ])
  })

  test('of a socket includes its service and everything behind it', () => {
    expect(restartConsequences(shown, 'docker.socket').map(({ unit }) => unit)).toEqual([
      'docker.service',
      'shop.service',
      'proxy.service',
      'shop-worker.service',
    ])
  })

  test('is told for every key unit, with what brings it back and what lives on', async () => {
    const text = String(await (await collected()).value('restart-takes-down.txt'))
    expect(text).toContain(
      [
        'docker.service (active): a restart also restarts',
        '  shop.service: Requires=docker.service',
        '  proxy.service: PartOf=docker.service',
        '  shop-worker.service: BindsTo=shop.service',
        '  a stop does not last: docker.socket may start it again',
        '  KillMode=process: its child processes live on',
      ].join('\n'),
    )
    expect(text).toContain('ssh.service (not loaded): a restart takes no other unit down')
  })
})

describe("the administrator's files", () => {
  test('are handed over under their own paths; links are a list that tells masked units', async () => {
    const root = await tree({
      '/etc/systemd/system/shop.service': '[Service]\n',
      '/etc/systemd/system/docker.service.d/override.conf': '[Service]\n',
      '/etc/systemd/system/shop.service.bak': 'old\n',
    })
    const place = join(root, '/etc/systemd/system')
    await mkdir(join(place, 'multi-user.target.wants'))
    await symlink('/lib/systemd/system/ssh.service', join(place, 'multi-user.target.wants/ssh.service'))
    await symlink('/dev/null', join(place, 'snapd.service'))
    const entries = await collected({ root })
    expect(entries.names.filter((name) => name?.startsWith('unit-files'))).toEqual([
      'unit-files/etc/systemd/system/docker.service.d/override.conf',
      'unit-files/etc/systemd/system/shop.service',
    ])
    expect(await entries.value('unit-links.txt')).toBe(
      '/etc/systemd/system/multi-user.target.wants/ssh.service -> /lib/systemd/system/ssh.service\n' +
        '/etc/systemd/system/snapd.service -> /dev/null  (masked)\n',
    )
  })
})

test('when systemd does not answer, the entries that need no list of units are still described', async () => {
  const entries = await collected({ systemctl: 'echo "Failed to connect to bus" >&2; exit 1' })
  expect(entries.named('status.txt')).toMatchObject({
    kind: 'skipped',
    reason: expect.stringContaining('connect to bus'),
  })
  expect(entries.names).toEqual(expect.arrayContaining(['list-timers.txt', 'unit-links.txt']))
})

test('where PID 1 is not systemd nothing is asked, and one entry says why', async () => {
  const root = await tree({})
  const entries = await described(systemd, testKit({ root, host: { systemd: false } }))
  expect(entries.all).toMatchObject([{ kind: 'skipped', reason: 'PID 1 is not systemd' }])
})
