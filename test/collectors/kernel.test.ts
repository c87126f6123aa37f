import { describe, expect, test } from 'vitest'
import kernel from '../../collectors/kernel.ts'
import { described, fakeCommands, testKit, tree } from '../helpers/kit.ts'

const log = `[    0.000000] Linux version 6.1.0-28-cloud-amd64
[    0.100000] Speculative Return Stack Overflow: WARNING: See https://kernel.org/doc/html/latest/admin-guide/hw-vuln/srso.html
[   10.000000] stress invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
[   10.000001] oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/0123,task_memcg=/docker/0123,task=stress,pid=812,uid=0
[   10.000002] Memory cgroup out of memory: Killed process 812 (stress) total-vm:1052608kB, anon-rss:65024kB
[   11.000000] INFO: task jbd2/vda1-8:170 blocked for more than 120 seconds.
[   12.000000] blk_update_request: I/O error, dev vda, sector 2048 op 0x1:(WRITE) flags 0x0
[   12.000001] EXT4-fs (vda1): Remounting filesystem read-only
[   13.000000] mce: [Hardware Error]: Machine check events logged
[   14.000000] nginx[99]: segfault at 0 ip 0000000000000000 sp 00007ffc error 14 in nginx
[   15.000000] vbox: loading out-of-tree module taints kernel.
[   16.000000] nf_conntrack: nf_conntrack: table full, dropping packet`

const dmesg = `cat <<'END'\n${log}\nEND`

async function collected({ commands = {} as Record<string, string>, files = {} as Record<string, string> }) {
  return described(kernel, testKit({ root: await tree(files), bin: await fakeCommands(commands) }))
}

describe('problems.txt', () => {
  test('names every kind of trouble with its number and its lines, and nothing else', async () => {
    const text = String(await (await collected({ commands: { dmesg } })).value('problems.txt'))
    const counts = [...text.matchAll(/^ +(\d+) {2}(.*)$/gm)].map(([, count, title]) => [title, Number(count)])
    expect(counts).toEqual([
      ['OOM kills', 3],
      ['Hung tasks and lockups', 1],
      ['I/O and file system errors', 2],
      ['Machine checks and other hardware errors', 1],
      ['Crashed processes', 1],
      ['Network and tables that were full', 1],
      ['Taint', 1],
    ])
    expect(text).toContain('Killed process 812 (stress)')
    expect(text).not.toContain('Speculative Return Stack Overflow')
  })

  test('shows the first and the newest of many lines and counts the rest', async () => {
    const many = 'i=0; while [ $i -lt 100 ]; do echo "oom-kill:task=t$i"; i=$((i+1)); done'
    const text = String(await (await collected({ commands: { dmesg: many } })).value('problems.txt'))
    expect(text).toContain('task=t9\n[50 lines left out]\noom-kill:task=t60\n')
    expect(text).toContain('task=t99')
  })

  test('includes the end of the previous boot from the journal', async () => {
    const journalctl = `case "$*" in *'-b -1'*) echo '2026-01-01T00:00:00 Kernel panic - not syncing';; esac`
    const text = String(await (await collected({ commands: { dmesg, journalctl } })).value('problems.txt'))
    expect(text).toMatch(/=== Previous boot \(journal\)[^]*Kernel panic - not syncing/)
  })

  test('takes this boot from the journal where the ring buffer is closed to us', async () => {
    const commands = {
      dmesg: 'echo "dmesg: read kernel buffer failed: Operation not permitted" >&2; exit 1',
      journalctl: `case "$*" in *'-b 0'*) echo '2026-01-01T00:00:00 oom-kill:task=x';; esac`,
    }
    const entries = await collected({ commands })
    expect(await entries.value('problems.txt')).toMatch(/=== This boot \(journal\)\n +1 {2}OOM kills/)
    expect(entries.named('dmesg.log')).toMatchObject({ kind: 'skipped', reason: expect.stringContaining('root only') })
  })

  test('says so when neither can be read', async () => {
    expect(await (await collected({})).value('problems.txt')).toMatch(
      /This boot\n {2}unknown: .*the command dmesg is not installed[^]*Previous boot\n {2}unknown/,
    )
  })
})

describe('dmesg.log', () => {
  test('has ISO times', async () => {
    expect((await collected({ commands: { dmesg } })).commands).toEqual(['dmesg --time-format=iso'])
  })

  test('is plain where dmesg knows no time format, as in busybox', async () => {
    const busybox = `[ $# = 0 ] || { echo "unrecognized option '--time-format=iso'" >&2; exit 1; }\n${dmesg}`
    const entries = await collected({ commands: { dmesg: busybox } })
    expect(entries.commands).toEqual(['dmesg'])
    expect(await entries.value('problems.txt')).toContain('OOM kills')
  })
})

describe('taint.txt', () => {
  test.each([
    ['0\n', '0: not tainted\n'],
    [
      '4609\n',
      'bit 0 (P): proprietary module was loaded\nbit 9 (W): kernel issued warning\nbit 12 (O): externally-built ("out-of-tree") module was loaded\n',
    ],
    ['1073741824\n', 'bit 30 (?): not documented when this was written\n'],
    ['', 'unknown: /proc/sys/kernel/tainted could not be read\n'],
  ])('%j', async (tainted, text) => {
    const entries = await collected({ files: { '/proc/sys/kernel/tainted': tainted } })
    expect(await entries.value('taint.txt')).toBe(text)
  })
})

test('hardware-errors.json has the counts of memory controllers, PCI errors and machine-check interrupts', async () => {
  const files = {
    '/sys/devices/system/edac/mc/mc0/ce_count': '7\n',
    '/sys/bus/pci/devices/0000:00:01.0/aer_dev_fatal': 'DLP 0\nTOTAL_ERR_FATAL 2\n',
    '/sys/bus/pci/devices/0000:00:02.0/aer_dev_fatal': 'DLP 0\nTOTAL_ERR_FATAL 0\n',
    '/proc/interrupts':
      '           CPU0       CPU1\n  0:         44          0   IO-APIC   2-edge  timer\nMCE:          1          2   Machine check exceptions\n',
  }
  expect(await (await collected({ files })).value('hardware-errors.json')).toEqual({
    memoryControllers: [{ path: '/sys/devices/system/edac/mc/mc0/ce_count', text: '7' }],
    pci: [{ path: '/sys/bus/pci/devices/0000:00:01.0/aer_dev_fatal', text: 'DLP 0\nTOTAL_ERR_FATAL 2' }],
    throttled: [],
    interrupts: { MCE: 3 },
  })
})
