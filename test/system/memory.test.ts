/**
 * A bundle of a journal that is larger than the memory that diagd may have. 200 MB here; DIAGD_TEST_JOURNAL_MB=1100 makes it
 * more than 1 GiB, some minutes.
 */
import { execa } from 'execa'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { downloadBundle, property } from './harness/diagd.ts'

const JOURNAL_MB = Number(process.env['DIAGD_TEST_JOURNAL_MB'] ?? 200)

const files = {
  '/etc/systemd/journald.conf.d/test.conf': '[Journal]\nRateLimitIntervalSec=0\nSystemMaxUse=8G\nForwardToSyslog=no\n',
  // Smaller than the journal, so that it would be noticed if that were held; on cgroup v1 there is no MemoryHigh.
  '/etc/systemd/system/diagd.service.d/test.conf': '[Service]\nMemoryMax=160M\n',
}

describeVm('a large journal', { files }, (vm) => {
  test('goes into a bundle within MemoryMax, and nothing is killed', { timeout: 900_000 }, async () => {
    // Lines of random base64: nothing of it compresses, and no two are the same.
    await vm().sh(
      `head -c ${JOURNAL_MB * 750_000} /dev/urandom | base64 --wrap=400 | systemd-cat -t noise; journalctl --sync`,
    )
    const before = await property(vm(), 'MainPID', 'NRestarts')
    const folder = await mkdtemp(join(tmpdir(), 'diagd-journal-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'bundle.tar.gz')
    await downloadBundle(vm(), '?only=journal,systemd&limits=none', file)

    const { stdout } = await execa('tar', ['--list', '--verbose', '--gzip', '--file', file])
    const sizes = stdout
      .split('\n')
      .filter((line) => line.includes('/journal/boot-0.log'))
      .map((line) => Number(line.split(/ +/)[2]))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(JOURNAL_MB * 1_000_000)
    expect(await property(vm(), 'MainPID', 'NRestarts')).toEqual(before)
    const cgroup = '/sys/fs/cgroup/memory/system.slice/diagd.service'
    const memory = await vm().sh(
      `cat ${cgroup}/memory.limit_in_bytes ${cgroup}/memory.max_usage_in_bytes; cat ${cgroup}/memory.oom_control`,
    )
    const [limit, peak] = memory.split('\n').map(Number)
    expect(limit).toBe(160 * 1024 * 1024)
    expect(peak).toBeLessThanOrEqual(limit!)
    expect(memory).toMatch(/^oom_kill 0$/m)
    const status = await vm().run('cat', `/proc/${before.MainPID}/status`)
    console.log(
      `peak of the service ${Math.round(peak! / 1e6)} MB with its pages, of the daemon ${/VmHWM:\s*(.*)/.exec(status)![1]}`,
    )
  })
})
