import { chmod, rm } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import boot from '../../collectors/boot.ts'
import { endInWtmp, endOfJournal } from '../../collectors/lib/boot-end.ts'
import type { HostFacts } from '../../src/collector.ts'
import { described, fakeCommands, testKit, tree } from '../helpers/kit.ts'

const ID = 'b'.repeat(32)
const LIST = ` -1 ${ID} Fri 2026-01-02 00:00:00 UTC—Fri 2026-01-02 12:00:00 UTC`
const journalOf = (lines: string): string =>
  `case "$*" in *list-boots*) echo '${LIST}';; *'-b ${ID}'*) echo '${lines}';; esac`

/** As `systemctl show` prints them; the last one was started again long after the machine was up. */
const SHOWN = [
  ['slow.service', 4_000_000, 0, 0, 'success'],
  ['once.service', 2_000_000, 0, 3_000_000, 'success'],
  ['bad.service', 3_500_000, 0, 3_750_000, 'exit-code'],
  ['a&b.mount', 1_500_000, 2_000_000, 0, 'success'],
  ['later.service', 9_000_000, 9_100_000, 0, 'success'],
]
  .map(([id, exit, enter, inactive, result]) =>
    [
      `Id=${id}`,
      `InactiveExitTimestampMonotonic=${exit}`,
      `ActiveEnterTimestampMonotonic=${enter}`,
      `InactiveEnterTimestampMonotonic=${inactive}`,
      `Result=${result}\n`,
    ].join('\n'),
  )
  .join('\n')

async function collected(
  commands: Record<string, string>,
  files: Record<string, string> = {},
  host: Partial<HostFacts> = {},
) {
  return described(boot, testKit({ root: await tree(files), bin: await fakeCommands(commands), host }))
}

describe('how the previous boot ended, by its journal', () => {
  test.each([
    ['2026-01-02T12:00:00+0000 vm systemd[1]: Reached target reboot.target - System Reboot.', /^orderly/],
    ['2026-01-02T12:00:00+0000 vm systemd[1]: Reached target Power-Off.', /^orderly/],
    ['2026-01-02T12:00:00+0000 vm systemd-journald[200]: Journal stopped', /^orderly/],
    ['2026-01-02T12:00:00+0000 vm kernel: Kernel panic - not syncing: Fatal exception', /^kernel panic/],
    ['2026-01-02T12:00:00+0000 vm app[3]: working as usual', /^NO SHUTDOWN/],
  ])('%s', (line, verdict) => {
    const ending = endOfJournal(`2026-01-02T11:00:00+0000 vm app[3]: before\n${line}\n`)
    expect(ending.verdict).toMatch(verdict)
    expect(ending.evidence).toBe(line)
  })

  test('an empty journal says nothing', () => {
    expect(endOfJournal('').verdict).toMatch(/^unknown/)
  })
})

describe('how the previous boot ended, by wtmp', () => {
  const booted = 'reboot   system boot  6.1.0-28-cloud-a Fri Jan  2 12:01:00 2026   still running'
  const down = 'shutdown system down  6.1.0-28-cloud-a Fri Jan  2 12:00:00 2026 - Fri Jan  2 12:01:00 2026  (00:01)'

  test('a shutdown record before the latest boot is an orderly end', () => {
    expect(endInWtmp(`${booted}\n${down}\n${booted}\n\nwtmp begins`)).toEqual({
      verdict: 'orderly shutdown or reboot',
      evidence: down,
    })
  })

  test('a boot right after a boot is none', () => {
    expect(endInWtmp(`${booted}\n${booted}\n${down}\n`).verdict).toMatch(/^NO SHUTDOWN/)
  })

  test('only one boot, or none, says nothing', () => {
    for (const last of [booted, down, 'wtmp begins Tue May 20']) expect(endInWtmp(last).verdict).toMatch(/^unknown/)
  })
})

test('all witnesses of the previous end are heard in one text', async () => {
  const files = { '/sys/fs/pstore/dmesg-efi-1': 'panic', '/var/log/wtmp': '' }
  const last = `echo 'reboot   system boot  6.1 Fri'; echo 'reboot   system boot  6.1 Thu'`
  const entries = await collected({ journalctl: journalOf('12:00 vm app: working'), last }, files)
  const text = await entries.value('previous-boot.txt')
  expect(text).toMatch(new RegExp(`^Previous boot ${ID}, last heard of 2026-01-02T12:00:00.000Z\n`))
  expect(text).toMatch(/journal +NO SHUTDOWN.*\n +12:00 vm app: working\n/)
  expect(text).toMatch(/wtmp +NO SHUTDOWN.*\n +reboot .* Thu\n/)
  expect(text).toMatch(/pstore +1 CRASH RECORDS/)
  expect(entries.named('previous-boot-end.log').query).toEqual({ boot: ID, lastLines: 300 })
})

test('a user without rights learns that he has none, not that nothing happened', async () => {
  const journalctl = 'echo "No journal files were opened due to insufficient permissions." >&2; exit 1'
  const root = await tree({ '/sys/fs/pstore/nothing': '' })
  await rm(`${root}/sys/fs/pstore/nothing`)
  await chmod(`${root}/sys/fs/pstore`, 0o750)
  const kit = testKit({ root, bin: await fakeCommands({ journalctl }), host: { uid: 1000 } })
  const entries = await described(boot, kit)
  const text = await entries.value('previous-boot.txt')
  expect(text).toContain('journal  unknown: the whole journal needs root')
  expect(text).toContain('pstore   unknown: /sys/fs/pstore is open to root only')
  expect(entries.named('previous-boot-end.log').reason).toContain('needs root')
})

test('a host that keeps no records is told as unknown', async () => {
  const text = await (await collected({})).value('previous-boot.txt')
  expect(text).toContain('journal  unknown: the journal holds no previous boot')
  expect(text).toMatch(/wtmp +unknown: the command last is not installed/)
  expect(text).toContain('no crash record')
})

test('this boot in numbers', async () => {
  const files = {
    '/proc/stat': 'cpu 1 2 3\nbtime 1767322800\n',
    '/proc/uptime': '3600.25 7000.00\n',
    '/proc/sys/kernel/osrelease': '6.1.0\n',
    '/proc/cmdline': 'root=/dev/vda1 ro\n',
  }
  expect(await (await collected({}, files)).value('boot.json')).toEqual({
    bootId: '3f0c9a52-7d1e-4b8a-9c55-0123456789ab',
    bootTime: '2026-01-02T03:00:00.000Z',
    uptimeSeconds: 3600.25,
    kernel: '6.1.0',
    commandLine: 'root=/dev/vda1 ro',
  })
})

describe('what took the time', () => {
  test('systemd-analyze, and cloud-init where it ran', async () => {
    const commands = { 'systemd-analyze': '', 'cloud-init': '' }
    const entries = await collected(commands, { '/var/log/cloud-init.log': '' })
    expect(entries.commands).toContain('systemd-analyze critical-chain --no-pager')
    expect(entries.commands).toContain('cloud-init analyze show')
  })

  test('a picture from the times that systemd itself knows: systemd-analyze plot would start systemd-hostnamed', async () => {
    const systemctl = `case "$*" in
*Userspace*) echo UserspaceTimestampMonotonic=1000000; echo FinishTimestampMonotonic=5000000;;
*'-- *') cat <<'END'
${SHOWN}
END
;;
esac`
    const entries = await collected({ 'systemd-analyze': '', systemctl })
    const picture = String(await entries.value('start-plot.svg'))
    expect(picture).toContain('finished after 4.000 s, 4 units')
    const units = [...picture.matchAll(/fill="(#\w+)"\/><text[^>]*>([^<]*)</g)].map(([, color, text]) => [text, color])
    expect(units).toEqual([
      ['a&amp;b.mount (0.500 s)', '#3a7'],
      ['once.service (1.000 s, done)', '#89b'],
      ['bad.service (0.250 s, failed)', '#c33'],
      ['slow.service (starting)', '#e90'],
    ])
    expect(entries.commands.filter((command) => command.includes('plot'))).toEqual([])
  })

  test('is skipped with the reason where there is nobody to ask', async () => {
    const entries = await collected({ 'systemd-analyze': '' }, {}, { systemd: false })
    expect(entries.named('systemd-analyze.txt').reason).toBe('PID 1 is not systemd')
    expect(entries.named('cloud-init-analyze.txt').reason).toContain('cloud-init')
  })
})
