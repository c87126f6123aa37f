import { describe, expect, test } from 'vitest'
import storage from '../../collectors/storage.ts'
import type { Kit } from '../../src/collector.ts'
import { described, fakeCommands, fixture, testKit } from '../helpers/kit.ts'

const root = fixture('collectors-2', 'vm')
const GiB = 1024 ** 3
const rowOf = (text: unknown, part: string) =>
  String(text)
    .split('\n')
    .find((line) => line.includes(part)) ?? ''

/** File systems of known fullness: a full disk, one out of inodes, a server that never answers. */
const statfs: Kit['statfs'] = async (path) => {
  if (path === '/mnt/nfs') throw new Error('no answer within 5 s')
  const used = path === '/' ? 9 : 5
  const facts = { blockSizeBytes: 4096, blocks: (10 * GiB) / 4096, blocksFree: ((10 - used) * GiB) / 4096 }
  return { ...facts, blocksAvailable: facts.blocksFree, inodes: 1000, inodesFree: path === '/data' ? 0 : 900 }
}
const look = async (scripts: Record<string, string> = {}) =>
  described(storage, { ...testKit({ root, bin: await fakeCommands(scripts) }), statfs })

describe('usage.txt', () => {
  const order = (text: unknown) =>
    String(text)
      .split('\n')
      .slice(4, -1)
      .map((line) => /\s(\/\S*)/.exec(line)?.[1])

  test('lists what does not answer first, then the fullest by space or inodes', async () => {
    expect(order(await (await look()).value('usage.txt'))).toEqual(['/mnt/nfs', '/data', '/', '/dev'])
  })

  test('a mount that does not answer costs its own row only', async () => {
    const text = await (await look()).value('usage.txt')
    expect(rowOf(text, '/mnt/nfs')).toMatch(/^\s*\?.*nfs4\s+\/mnt\/nfs\s+10\.0\.0\.9:\/export\s+no answer within 5 s$/)
    expect(rowOf(text, '/dev/sda1')).toMatch(
      /^ ?90%\s+10\.0 GiB\s+9\.00 GiB\s+1\.00 GiB\s+10%\s+1000\s+900\s+rw\s+ext4\s+\/\s+\/dev\/sda1\s+also mounted at 1 other places$/,
    )
  })

  test('a file system out of inodes, and one that is read-only, show it', async () => {
    expect(rowOf(await (await look()).value('usage.txt'), '/data')).toMatch(/100%\s+1000\s+0\s+ro\s+xfs/)
  })

  test('views of the kernel, automounts, images and file systems of containers are not asked', async () => {
    const asked: string[] = []
    const kit = { ...testKit({ root }), statfs: (path: string) => (asked.push(path), statfs(path)) }
    await (await described(storage, kit)).value('usage.txt')
    expect(asked.sort()).toEqual(['/', '/data', '/dev', '/mnt/nfs'])
  })
})

describe('mounts.txt', () => {
  test('shows the mounts of PID 1 with their propagation', async () => {
    const text = await (await look()).value('mounts.txt')
    expect(text).toMatch(/^Mounts of PID 1/)
    expect(rowOf(text, '/mnt/nfs')).toContain('shared:40,master:7')
    expect(rowOf(text, '/srv/with space')).toMatch(/\/dev\/sda1\[\/var\/log\]\s+ext4\s+private/)
  })
})

describe('block-devices.txt', () => {
  test('shows the device with errors first, and leaves out what has no size', async () => {
    const text = String(await (await look()).value('block-devices.txt'))
    expect(text.split('\n').flatMap((line) => /^(sd\w|loop\d|zram\d)/.exec(line)?.[1] ?? [])).toEqual([
      'sdb',
      'sda',
      'zram0',
    ])
    expect(rowOf(text, 'sdb')).toMatch(/10\.0 GiB\s+rotating\s+offline\s+rw\s+31\s+2\s+3\s+1\.00 MiB\s+1\.00 MiB/)
  })

  test('shows what file systems count as errors, with times in UTC, and nothing of the healthy ones', async () => {
    const text = String(await (await look()).value('block-devices.txt'))
    expect(text).toContain('/sys/fs/ext4/sdc1/errors_count: 3')
    expect(text).toContain(`/sys/fs/ext4/sdc1/first_error_time: ${new Date(1790000100000).toISOString()}`)
    expect(text).toContain('corruption_errs 7')
    expect(text).not.toMatch(/sda1|warning_count/)
  })
})

test('swap.txt shows how full each area is, and the compressed memory', async () => {
  const text = await (await look()).value('swap.txt')
  expect(text).toMatch(/50%\s+512 MiB\s+1\.00 GiB\s+file\s+-2\s+\/swapfile/)
  expect(text).toContain('zram0/comp_algorithm: lzo-rle [zstd]')
  expect(text).toContain('SwapFree:         524288 kB')
})

describe('deleted-open-files.txt', () => {
  const find = String.raw`printf '/proc/701/fd/4 /var/log/old access (deleted)\0/proc/701/fd/5 /var/log/old access (deleted)\0/proc/700/fd/9 /memfd:x (deleted)\0/proc/812/fd/3 /tmp/small (deleted)\0'`
  const stat = String.raw`printf '9000000 4096 512 8:1 /proc/812/fd/3\n2147483648 4194304 512 8:1:77 /proc/701/fd/4\n2147483648 4194304 512 8:1:77 /proc/701/fd/5\n'`

  test('lists the largest first, one row for a file that is held twice, and the sum on disk', async () => {
    const text = String(await (await look({ find, stat })).value('deleted-open-files.txt'))
    const rows = text.trim().split('\n').slice(-2)
    expect(rows[0]).toMatch(/2\.00 GiB\s+2\.00 GiB\s+701\/nginx\s+2\s+\/var\/log\/old access$/)
    expect(rows[1]).toMatch(/2\.00 MiB\s+8\.58 MiB\s+812\/backup \(nightly\)\s+1\s+\/tmp\/small$/)
    expect(text).toContain('2 deleted files are still open and hold 2.00 GiB on disk')
    expect(text).not.toContain('memfd')
  })

  test('says how many sizes are unknown when their file system does not answer', async () => {
    const text = await (await look({ find, stat: 'exit 1' })).value('deleted-open-files.txt')
    expect(text).toContain('3 descriptors were closed meanwhile, or their file system did not answer')
  })
})

describe('biggest-*.txt', () => {
  test('lists the largest first', async () => {
    const timeout = String.raw`printf '2048\t/var/log/a\n1048576\t/var/log/b c\n1050624\t/var/log\n'`
    const text = String(await (await look({ timeout })).value('biggest-var-log.txt'))
    expect(text.trim().split('\n').slice(-3)).toEqual([
      '1.00 GiB  /var/log',
      '1.00 GiB  /var/log/b c',
      '2.00 MiB  /var/log/a',
    ])
  })

  test('is bounded in time, stays on one file system, and comes last in the bundle', async () => {
    const entries = await look({ timeout: 'printf "1024\\t%s\\n" "$*"' })
    expect(await entries.value('biggest-var-lib-docker.txt')).toContain(
      '--foreground 12 stdbuf -oL du -axk --max-depth=3 --threshold=1024K -- /var/lib/docker',
    )
    const entry = entries.named('biggest-var-lib-docker.txt')
    expect(entry.tier).toBe('bulk')
    expect(entry.needs).toEqual([{ command: ['du', 'timeout', 'stdbuf'], file: '/var/lib/docker' }])
  })

  test('keeps what was found when time runs out, and says so', async () => {
    const text = await (
      await look({ timeout: String.raw`printf '4096\t/var/log/a\n'; exit 124` })
    ).value('biggest-var-log.txt')
    expect(text).toContain('CUT after 12 s')
    expect(text).toContain('4.00 MiB  /var/log/a')
  })
})
