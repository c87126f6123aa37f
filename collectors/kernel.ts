import type { Collector, Kit } from '../src/collector.ts'
import { journalLacks } from './lib/journal-files.ts'
import { hardwareErrors } from './lib/kernel-hardware.ts'
import { problemsText } from './lib/kernel-problems.ts'
import { type RingBuffer, ringBuffer } from './lib/kernel-ring-buffer.ts'
import { explainTaint } from './lib/kernel-taint.ts'

export default {
  title: 'Kernel log: OOM kills, hung tasks, I/O errors, machine checks, taint',
  tier: 'facts',
  async *collect(kit) {
    const log = await ringBuffer(kit)
    yield kit.text('problems.txt', () => problems(kit, log))
    yield kit.text('taint.txt', async () => `${explainTaint(await kit.read('/proc/sys/kernel/tainted')).join('\n')}\n`)
    yield kit.json('hardware-errors.json', () => hardwareErrors(kit))
    if (log.reason !== undefined) yield kit.skipped('dmesg.log', log.reason)
    else if (log.iso) yield kit.command`dmesg --time-format=iso`.as('dmesg.log')
    else yield kit.command`dmesg`.as('dmesg.log')
    yield kit.logs('/var/log/kern.log*').in('logs')
  },
} satisfies Collector

/** Of this boot from the ring buffer (or the journal, where that is closed to us), of the previous one from the journal. */
async function problems(kit: Kit, log: RingBuffer): Promise<string> {
  const current = log.text
    ? { from: 'dmesg', text: log.text }
    : { from: 'journal', text: await kernelJournal(kit, '0') }
  const previous = await kernelJournal(kit, '-1')
  const nothing = (await journalLacks(kit)) ?? 'the journal holds no message of the kernel from then'
  return [
    current.text === undefined
      ? `=== This boot\n  unknown: ${nothing}; dmesg: ${log.reason ?? 'empty'}\n`
      : problemsText(`This boot (${current.from})`, current.text),
    previous === undefined
      ? `=== Previous boot\n  unknown: ${nothing}\n`
      : problemsText('Previous boot (journal)', previous),
  ].join('\n')
}

/** The newest 10 000 kernel messages of a boot, about 1 MB: enough for any cascade, within what `run` returns. */
async function kernelJournal(kit: Kit, boot: string): Promise<string | undefined> {
  if (await kit.missing({ command: 'journalctl' })) return undefined
  const asked = await kit.run`journalctl --quiet -k -b ${boot} -n 10000 -o short-iso`.catch(() => undefined)
  return asked?.exitCode === 0 && asked.stdout.trim() !== '' ? asked.stdout : undefined
}
