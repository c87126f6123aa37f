/** Which sources told something, and why the others did not. No I/O. */
import type { JournalLine } from './journal.ts'
import type { SourceState, Step, StepSource, TimelineInputs } from './types.ts'

const NOTHING: Readonly<{ [Source in StepSource]: string }> = {
  kernel: 'neither systemd nor the journal tells how long it took',
  systemd: 'nothing is known of any unit',
  'cloud-init': 'no run of it in this boot',
  phase: 'no script announced one in the journal',
  provision: 'nothing was reported',
  container: 'none started, or nothing is known',
}

export function sourceStates(
  { absent = {} }: TimelineInputs,
  lines: readonly JournalLine[],
  steps: readonly Step[],
): SourceState[] {
  const journal = {
    source: 'journal' as const,
    present: lines.length > 0,
    detail: absent.journal ?? (lines.length > 0 ? `${lines.length} lines` : 'it holds nothing of this boot'),
  }
  const sources = (Object.keys(NOTHING) as StepSource[]).map((source) => {
    const count = steps.filter((step) => step.source === source).length
    const told = count === 0 ? NOTHING[source] : `${count} steps`
    return { source, present: count > 0, detail: absent[source] ?? told }
  })
  return [journal, ...sources]
}
