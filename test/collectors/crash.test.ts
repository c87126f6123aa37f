import { expect, test } from 'vitest'
import crash from '../../collectors/crash.ts'
import { described, fakeCommands, testKit, tree } from '../helpers/kit.ts'

const list = `Sat 2026-11-21 09:51:35 UTC 4711 0 0 SIGSEGV present  /usr/sbin/nginx 24.1K
Fri 2026-11-20 08:00:00 UTC 4711 0 0 SIGSEGV missing  /usr/sbin/nginx -
Fri 2026-11-20 07:00:00 UTC  99 33 33 SIGABRT none     /usr/bin/php -`

test('the newest core dumps are described one by one, each process once, never dumped', async () => {
  const bin = await fakeCommands({ coredumpctl: `cat <<'END'\n${list}\nEND` })
  const entries = await described(crash, testKit({ root: await tree({}), bin }))
  expect(entries.commands).toEqual([
    'coredumpctl list --no-pager',
    'coredumpctl info --no-pager -1 4711',
    'coredumpctl info --no-pager -1 99',
  ])
})

test('no core dumps is an answer, not a failure', async () => {
  const bin = await fakeCommands({ coredumpctl: 'echo "No coredumps found." >&2; exit 1' })
  const entries = await described(crash, testKit({ root: await tree({}), bin }))
  expect(entries.named('coredumps.txt').accepted).toEqual([1])
  expect(entries.commands).toHaveLength(1)
})

test('crash folders are listed, and none of their files is handed over', async () => {
  const root = await tree({
    '/var/crash/202601020304/vmcore': 'memory of the kernel',
    '/var/lib/systemd/coredump/core.nginx.0.zst': 'memory of nginx',
  })
  const entries = await described(crash, testKit({ root }))
  expect(await entries.value('crash-files.json')).toMatchObject([
    {
      folder: '/var/crash',
      files: [{ path: '/var/crash/202601020304' }, { path: '/var/crash/202601020304/vmcore', sizeBytes: 20 }],
    },
    { folder: '/var/lib/systemd/coredump', files: [{ sizeBytes: 15 }] },
  ])
  expect(entries.paths.filter((path) => /crash\/|coredump\//.test(path))).toEqual([])
})

test('kernel messages that systemd-pstore saved keep the folder of their crash', async () => {
  const root = await tree({
    '/var/lib/systemd/pstore/1700000000/dmesg.txt': 'Kernel panic',
    '/var/lib/systemd/pstore/1700000001/dmesg.txt': 'Oops',
  })
  const entries = await described(crash, testKit({ root }))
  expect(entries.names).toEqual(expect.arrayContaining(['pstore/1700000000/dmesg.txt', 'pstore/1700000001/dmesg.txt']))
})
