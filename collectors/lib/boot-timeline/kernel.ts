/** When the kernel, the initrd and systemd did their parts of a boot. No I/O. */
import { parseShow } from '../systemd-show.ts'
import type { JournalLine } from './journal.ts'
import type { Part } from './parts.ts'
import type { TimelineInputs } from './types.ts'

/** What to ask of systemd itself. */
export const managerProperties = [
  'KernelTimestamp',
  'FirmwareTimestampMonotonic',
  'LoaderTimestampMonotonic',
  'InitRDTimestampMonotonic',
  'UserspaceTimestampMonotonic',
  'FinishTimestampMonotonic',
]

/** Milliseconds. */
export interface StartFacts {
  /** Of CLOCK_MONOTONIC: 0 where the kernel is this machine's own; in a container, when its systemd began or the first thing is known. */
  readonly originMs: number
  /** From the origin on: when everything that was to be started was up; undefined when it never was, or nobody says. */
  readonly finishedMs: number | undefined
  readonly parts: readonly Part[]
}

export function startFacts({ live, manager }: TimelineInputs, lines: readonly JournalLine[]): StartFacts {
  const systemd = live ? ofManager(manager ?? '') : undefined
  return systemd ?? ofJournal(lines)
}

/** undefined when systemd was not asked, or did not answer. */
function ofManager(show: string): StartFacts | undefined {
  const own = parseShow(show)[0] ?? {}
  const at = (key: string) => Number(own[`${key}TimestampMonotonic`] ?? 0) / 1000
  const userspaceMs = at('Userspace')
  if (userspaceMs === 0) return undefined
  const finishedMs = at('Finish') || undefined
  // Without a date for the kernel it is a container: the kernel is the host's, and older.
  if (!own['KernelTimestamp'])
    return { originMs: userspaceMs, finishedMs: finishedMs && finishedMs - userspaceMs, parts: [] }
  const [firmwareMs, loaderMs, initrdMs] = [at('Firmware'), at('Loader'), at('InitRD')]
  const parts = [
    ...(firmwareMs > 0 ? [part('firmware', -firmwareMs, -loaderMs)] : []),
    ...(loaderMs > 0 ? [part('boot loader', -loaderMs, 0)] : []),
    part('kernel', 0, initrdMs || userspaceMs),
    ...(initrdMs > 0 ? [part('initrd', initrdMs, userspaceMs)] : []),
  ]
  return { originMs: 0, finishedMs, parts }
}

/** A kernel needs less than this until the journal begins; a journal that begins later has lost its beginning, or is a container's. */
const LATE_JOURNAL_MS = 120_000

function ofJournal(lines: readonly JournalLine[]): StartFacts {
  const finished = lines.find(({ kind }) => kind === 'startupFinished' || kind === 'userspaceFinished')
  const tookMs = (name: string) => Number(finished?.field(`${name}_USEC`) ?? 0) / 1000
  const [kernelMs, initrdMs, userspaceMs] = [tookMs('KERNEL'), tookMs('INITRD'), tookMs('USERSPACE')]
  const finishedMs = finished?.monotonicMs
  if (kernelMs > 0) {
    const parts = [
      part('kernel', 0, kernelMs),
      ...(initrdMs > 0 ? [part('initrd', kernelMs, kernelMs + initrdMs)] : []),
    ]
    return { originMs: 0, finishedMs, parts }
  }
  const firstMs = lines[0]?.monotonicMs ?? 0
  if (firstMs < LATE_JOURNAL_MS) return { originMs: 0, finishedMs, parts: [] }
  const originMs = finishedMs === undefined || userspaceMs === 0 ? firstMs : finishedMs - userspaceMs
  return { originMs, finishedMs: finishedMs && finishedMs - originMs, parts: [] }
}

function part(name: string, startedMs: number, endedMs: number): Part {
  return { name, source: 'kernel', status: 'done', startedMs, endedMs, detail: '' }
}
