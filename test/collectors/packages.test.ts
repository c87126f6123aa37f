import { describe, expect, test } from 'vitest'
import { lockHolders, parseStat } from '../../collectors/lib/package-locks.ts'
import packages from '../../collectors/packages.ts'
import { described, fakeCommands, testKit, tree } from '../helpers/kit.ts'

async function collected(files: Record<string, string>, commands: Record<string, string> = {}) {
  return described(packages, testKit({ root: await tree(files), bin: await fakeCommands(commands) }))
}

describe('the lock of the package manager', () => {
  const LOCKS = `1: POSIX  ADVISORY  WRITE 4711 fe:01:131 0 EOF
1: -> POSIX  ADVISORY  WRITE 4712 fe:01:131 0 EOF
2: FLOCK  ADVISORY  WRITE 12 00:1f:999 0 EOF
3: POSIX  ADVISORY  READ  13 fe:01:140 0 EOF
4: OFDLCK ADVISORY  WRITE -1 fe:01:150 0 EOF
`
  const file = (inode: string, device = 'fe01') => ({ path: '/lock', inode, device })

  test('is held by the writer, not by those who wait or read', () => {
    expect(lockHolders(LOCKS, [file('131')])).toEqual([{ path: '/lock', pid: 4711, deviceDiffers: false }])
    expect(lockHolders(LOCKS, [file('140')])).toEqual([])
  })

  test('in another PID namespace has no pid to tell', () => {
    expect(lockHolders(LOCKS, [file('150')])).toEqual([{ path: '/lock', pid: 0, deviceDiffers: false }])
  })

  test('on an overlay file system is known by its inode alone', () => {
    expect(lockHolders(LOCKS, [file('131', '31')])).toEqual([{ path: '/lock', pid: 4711, deviceDiffers: true }])
  })

  test('is compared with what stat prints', () => {
    expect(parseStat('131 fe01 /var/lib/dpkg/lock\n\nstat: cannot\n')).toEqual([
      { inode: '131', device: 'fe01', path: '/var/lib/dpkg/lock' },
    ])
  })

  test('names its holder, its command and its parent', async () => {
    const files = {
      '/var/lib/dpkg/lock-frontend': '',
      '/proc/locks': LOCKS,
      '/proc/4711/cmdline': '/usr/bin/apt-get\0install\0nginx\0',
      '/proc/4711/status': 'Name:\tapt-get\nPPid:\t4000\n',
    }
    const stat = 'echo "131 fe01 /var/lib/dpkg/lock-frontend"'
    expect(await (await collected(files, { stat })).value('lock.txt')).toBe(
      '/var/lib/dpkg/lock-frontend: held by process 4711\n  command: /usr/bin/apt-get install nginx\n  parent:  4000\n',
    )
  })

  test('held by nobody, and not there at all, is said', async () => {
    const free = await collected({ '/var/lib/dpkg/lock': '', '/proc/locks': '' }, { stat: 'echo "1 fe01 /x"' })
    expect(await free.value('lock.txt')).toMatch(/^Nobody holds a lock .*\/var\/lib\/dpkg\/lock/)
    expect(await (await collected({})).value('lock.txt')).toBe('There is no lock file of a package manager.\n')
  })
})

describe('sources', () => {
  test('come under their own paths, for the mask; files that hold nothing but logins are named and withheld', async () => {
    const entries = await collected({
      '/etc/apt/sources.list.d/a.sources': 'URIs: https://u:p@deb.example.org',
      '/etc/apt/auth.conf': 'machine deb.example.org login u password p',
      '/etc/apt/trusted.gpg': 'key',
      '/etc/yum.repos.d/b.repo': '[b]\npassword=p\n',
    })
    expect(entries.named('etc/apt/sources.list.d/a.sources').paths).toEqual(['/etc/apt/sources.list.d/a.sources'])
    expect(entries.named('etc/yum.repos.d/b.repo').kind).toBe('file')
    expect(entries.named('etc/apt/auth.conf')).toMatchObject({ kind: 'withheld', reason: 'logins of package sources' })
    expect(entries.has('etc/apt/trusted.gpg')).toBe(false)
  })
})

describe('a pending reboot', () => {
  const kernels = { '/proc/sys/kernel/osrelease': '6.1.0-27\n', '/lib/modules/6.1.0-28/modules.dep': '' }

  test('names who asks for it, and a kernel that is gone from the disk', async () => {
    const flag = {
      '/run/reboot-required': '*** System restart required ***',
      '/run/reboot-required.pkgs': 'libc6\nlibc6\n',
    }
    const text = await (await collected({ ...kernels, ...flag })).value('pending-reboot.txt')
    expect(text).toMatch(/^A REBOOT IS PENDING, asked for by: libc6$/m)
    expect(text).toContain('THE RUNNING KERNEL IS NO LONGER INSTALLED')
  })

  test('is denied where nothing asks for it', async () => {
    const text = await (await collected({ '/proc/sys/kernel/osrelease': '6.1.0-28\n' })).value('pending-reboot.txt')
    expect(text).toMatch(/^No package asks for a reboot/)
    expect(text).not.toContain('NO LONGER')
  })
})

describe('what is installed', () => {
  test('is asked of whichever database is there, never of apt or dnf', async () => {
    const { commands } = await collected({}, { dpkg: '', rpm: '', apt: '', 'apt-mark': '', dnf: '' })
    expect(commands).toEqual(['dpkg -l', 'dpkg --audit', 'rpm -qa --last'])
  })

  test('of snaps is asked only where their daemon runs', async () => {
    const entries = await collected({}, { snap: '' })
    expect(entries.named('snap.txt').needs).toEqual([{ unit: 'snapd.service' }])
    expect(entries.named('installed.txt').kind).toBe('skipped')
  })

  test('has a history, as far as there is one', async () => {
    const entries = await collected({ '/var/log/apt/history.log.1.gz': '', '/var/log/dpkg.log': '' })
    expect(entries.all.filter(({ kind }) => kind === 'logs').map(({ name }) => name)).toEqual(['apt/', 'logs/'])
  })
})
