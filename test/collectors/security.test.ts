import { expect, test } from 'vitest'
import security from '../../collectors/security.ts'
import { described, fakeCommands, testKit, tree } from '../helpers/kit.ts'

test('security.json tells which modules are on and in which mode', async () => {
  const root = await tree({
    '/sys/kernel/security/lsm': 'lockdown,capability,yama,apparmor',
    '/sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
    '/sys/kernel/security/apparmor/profiles':
      'docker-default (enforce)\n/usr/bin/man (enforce)\nlsb_release (complain)\n',
    '/sys/fs/selinux/enforce': '0',
    '/proc/sys/kernel/seccomp/actions_logged': 'kill_process kill_thread\n',
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n',
  })
  expect(await (await described(security, testKit({ root }))).value('security.json')).toMatchObject({
    modules: ['lockdown', 'capability', 'yama', 'apparmor'],
    lockdown: 'integrity',
    apparmor: { profilesByMode: { enforce: 2, complain: 1 } },
    selinux: 'permissive',
    seccomp: { actionsLogged: ['kill_process', 'kill_thread'] },
    switches: { 'kernel.apparmor_restrict_unprivileged_userns': '1', 'kernel.unprivileged_userns_clone': null },
  })
})

test('a kernel without any of it is described by nulls, not by a failure', async () => {
  expect(await (await described(security, testKit({ root: await tree({}) }))).value('security.json')).toMatchObject({
    modules: null,
    lockdown: null,
    apparmor: { profilesByMode: null },
    selinux: 'not mounted',
  })
})

test('denials of AppArmor, SELinux and seccomp are picked from dmesg', async () => {
  const log = [
    'audit: type=1400 audit(1.0:2): apparmor="DENIED" operation="open" profile="docker-default"',
    'audit: type=1400 audit(1.0:3): avc:  denied  { read } for pid=1',
    'audit: type=1326 audit(1.0:4): auid=1000 comm="chrome" sig=31 syscall=41',
    'audit: type=1400 audit(1.0:5): apparmor="ALLOWED" operation="open"',
    'eth0: link becomes ready',
  ]
  const bin = await fakeCommands({ dmesg: `cat <<'END'\n${log.join('\n')}\nEND` })
  const entries = await described(security, testKit({ root: await tree({}), bin }))
  expect(await entries.value('denials-dmesg.log')).toBe(`${log.slice(0, 3).join('\n')}\n`)
})

test('without the right to read dmesg its denials are skipped with the reason', async () => {
  const bin = await fakeCommands({ dmesg: 'echo "read kernel buffer failed: Operation not permitted" >&2; exit 1' })
  const entries = await described(security, testKit({ root: await tree({}), bin }))
  expect(entries.named('denials-dmesg.log')).toMatchObject({ kind: 'skipped', reason: expect.stringContaining('root') })
})
