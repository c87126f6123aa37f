import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../helpers/archive.ts'

const SYSTEMD = join(import.meta.dirname, '../../systemd')
const UNIT = join(SYSTEMD, 'diagd.service')

/** Key → its values in order, of all sections. */
function settings(): Map<string, string[]> {
  const lines = readFileSync(UNIT, 'utf8').split('\n')
  const pairs = lines.flatMap((line) => {
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? []
    return key === undefined ? [] : [[key, value!] as const]
  })
  return new Map(
    Object.entries(Object.groupBy(pairs, ([key]) => key)).map(([key, all]) => [key, all!.map((each) => each[1])]),
  )
}

const words = (key: string) => (settings().get(key) ?? []).flatMap((value) => value.split(' '))

test('nothing ties it to docker, to the network or to D-Bus', () => {
  const ties = [
    'Requires',
    'Requisite',
    'Wants',
    'BindsTo',
    'PartOf',
    'Upholds',
    'After',
    'Before',
    'Conflicts',
    'Also',
  ]
  const units = ties.flatMap(words)
  expect(units.sort()).toEqual(['local-fs.target', 'shutdown.target', 'shutdown.target', 'systemd-sysusers.service'])
})

test('it is started again for ever, and a starved machine does not restart it', () => {
  const one = (key: string) => settings().get(key)
  expect([one('Restart'), one('StartLimitIntervalSec')]).toEqual([['always'], ['0']])
  expect(Number.parseInt(one('WatchdogSec')![0]!)).toBeGreaterThanOrEqual(120)
})

test('what hides evidence is not used', () => {
  const ofItsOwn = ['PrivateTmp', 'PrivateUsers', 'PrivateNetwork', 'ProtectProc', 'ProcSubset', 'ProtectHostname']
  const kernel = ['ProtectKernelLogs', 'ProtectKernelModules', 'ProtectKernelTunables', 'ProtectControlGroups']
  // And the last one stops V8.
  const paths = ['InaccessiblePaths', 'TemporaryFileSystem', 'MemoryDenyWriteExecute']
  const hiding = new Set([...ofItsOwn, ...kernel, ...paths])
  expect([...settings().keys()].filter((key) => hiding.has(key))).toEqual([])
  expect(settings().get('ProtectHome')).toEqual(['read-only'])
})

test('each capability is both given and the limit, and none is more than reading and asking', () => {
  const expected = ['CAP_DAC_READ_SEARCH', 'CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_SYSLOG', 'CAP_SYS_PTRACE']
  expect(words('AmbientCapabilities').sort()).toEqual(expected)
  expect(words('CapabilityBoundingSet').sort()).toEqual(expected)
})

test('groups that may not exist are left to sysusers.d', () => {
  expect(settings().has('SupplementaryGroups')).toBe(false)
})

const analyze = existsSync('/usr/bin/systemd-analyze')

test.runIf(analyze)('systemd finds nothing wrong with it', () => {
  const folder = temporaryFolder()
  // The program is not installed here; anything that can be executed stands in.
  const copy = join(folder.path, 'diagd.service')
  writeFileSync(copy, readFileSync(UNIT, 'utf8').replaceAll('/usr/bin/diagd', '/bin/true'))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' })
  folder.remove()
  expect([status, stderr.split('\n').filter((line) => line.includes('diagd.service'))]).toEqual([0, []])
})

test.runIf(analyze)('its exposure is 3.5 at most', () => {
  const args = ['security', '--offline=true', '--threshold=35', '--no-pager', UNIT]
  const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  expect([status, stdout.split('\n').filter((line) => line.includes('Overall'))]).toEqual([0, [expect.any(String)]])
})

test.runIf(existsSync('/usr/bin/systemd-sysusers') && process.getuid!() === 0)(
  'the user is a member of docker before and after there is a docker',
  () => {
    const folder = temporaryFolder()
    const root = folder.path
    mkdirSync(join(root, 'etc'))
    mkdirSync(join(root, 'usr/lib/sysusers.d'), { recursive: true })
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nadm:x:4:\n')
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\n')
    const conf = readFileSync(join(SYSTEMD, 'sysusers.d/diagd.conf'))
    writeFileSync(join(root, 'usr/lib/sysusers.d/diagd.conf'), conf)
    for (const _ of ['first', 'again']) execFileSync('systemd-sysusers', [`--root=${root}`], { stdio: 'ignore' })
    const groups = readFileSync(join(root, 'etc/group'), 'utf8')
    for (const name of ['adm', 'docker', 'systemd-journal'])
      expect(groups).toMatch(new RegExp(`^${name}:x:\\d+:diagd$`, 'm'))
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^diagd:x:\d+:\d+:.*:\/var\/lib\/diagd:\S*nologin$/m)
    folder.remove()
  },
)
