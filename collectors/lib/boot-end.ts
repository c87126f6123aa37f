/** How a boot ended, from the last lines of its journal and from wtmp. No I/O. */

/** One sentence, and the line that says so. */
export interface Ending {
  readonly verdict: string
  readonly evidence: string | undefined
}

/** The first that matches is the cause: a panic or a lack of memory may still be followed by an orderly shutdown. */
const SIGNS: readonly { verdict: string; pattern: RegExp }[] = [
  { verdict: 'kernel panic', pattern: /Kernel panic|BUG: unable to handle|Oops: [0-9a-f]{4}/ },
  {
    verdict: 'orderly shutdown or reboot',
    pattern:
      /systemd-shutdown\[|systemd\[1\]: (?:Shutting down|Reached target .*(?:Power.?Off|Reboot|Halt|Shutdown))|Journal stopped|System is (?:rebooting|powering down)/i,
  },
]

/** What the newest lines of the previous boot's journal say; oldest first. */
export function endOfJournal(lines: string): Ending {
  const newestFirst = lines.trimEnd().split('\n').toReversed()
  for (const { verdict, pattern } of SIGNS) {
    const evidence = newestFirst.find((line) => pattern.test(line))
    if (evidence !== undefined) return { verdict, evidence }
  }
  const last = newestFirst[0]?.trim() ?? ''
  if (last === '') return { verdict: 'unknown: its journal is empty', evidence: undefined }
  return {
    verdict: 'NO SHUTDOWN in the journal, which breaks off: power cut, reset, crash, or a host that killed the VM',
    evidence: last,
  }
}

/** What `last -x` says of the time before the latest boot; newest first. */
export function endInWtmp(last: string): Ending {
  const records = last.split('\n').filter((line) => /^(?:reboot|shutdown)\s/.test(line))
  const latestBoot = records.findIndex((line) => line.startsWith('reboot'))
  const before = latestBoot === -1 ? undefined : records[latestBoot + 1]
  if (before === undefined) return { verdict: 'unknown: wtmp holds no earlier boot', evidence: records[latestBoot] }
  const orderly = before.startsWith('shutdown')
  return { verdict: orderly ? 'orderly shutdown or reboot' : 'NO SHUTDOWN recorded before this boot', evidence: before }
}
