import { expect, test } from 'vitest'
import { isPlainLog } from '../../collectors/lib/syslog-names.ts'
import syslog from '../../collectors/syslog.ts'
import { described, testKit, tree } from '../helpers/kit.ts'

async function collected(...paths: string[]) {
  const root = await tree(Object.fromEntries(paths.map((path) => [`/var/log/${path}`, ''])))
  return described(syslog, testKit({ root }))
}

test('what syslog daemons and services write is a plain log, with every kind of rotation', () => {
  const logs = ['syslog', 'syslog.1', 'syslog.2.gz', 'messages-20260102', 'auth.log', 'secure', 'mail.err.1', 'cron']
  const others = ['app.log', 'app.log.3.zst', 'app.log-20260102.xz', 'access_log', 'boot.log', 'dmesg.0']
  for (const name of [...logs, ...others]) expect([name, isPlainLog(name)]).toEqual([name, true])
})

test('databases, binaries and what other collectors gather is none', () => {
  const binaries = ['wtmp', 'btmp.1', 'lastlog', 'faillog', 'README', 'journal', 'syslogger']
  const gathered = ['cloud-init.log', 'cloud-init-output.log.1', 'kern.log', 'dockerd.log', 'dpkg.log.2.gz', 'dnf.log']
  for (const name of [...binaries, ...gathered]) expect([name, isPlainLog(name)]).toEqual([name, false])
})

test('logs of services in folders of their own come under the name of the folder', async () => {
  const { all } = await collected('syslog', 'nginx/access.log.1', 'apt/history.log', 'empty/data.bin')
  expect(all.map(({ kind, name, paths }) => ({ kind, name, paths }))).toEqual([
    { kind: 'logs', name: undefined, paths: ['/var/log/syslog'] },
    { kind: 'logs', name: 'nginx/', paths: ['/var/log/nginx/**/*{.,_}log*'] },
  ])
})

test('a name is no pattern', async () => {
  const { paths } = await collected('a[b]*.log')
  expect(paths).toEqual(['/var/log/a?b??.log'])
})

test('no log at all is said', async () => {
  const { all } = await collected('wtmp')
  expect(all).toMatchObject([{ kind: 'skipped', name: 'syslog' }])
})
