/** A unit that was started before the step that installs what it needs had ended. No I/O. */
import type { Attempt, Part, UnitHistory } from './parts.ts'
import { since } from './say.ts'
import type { Finding } from './types.ts'

interface Evidence {
  readonly parts: readonly Part[]
  readonly histories: ReadonlyMap<string, UnitHistory>
}

export function installedLate({ parts, histories }: Evidence): Finding[] {
  const installers = parts.filter(isInstaller)
  return [...histories.values()].flatMap((history) => {
    const failures = earlyFailures(history)
    const first = failures[0]
    if (!first) return []
    const upMs = history.attempts.find(({ failedMs, upMs }) => upMs !== undefined && failedMs === undefined)?.upMs
    const isMissing = failures.some(({ failure }) => NOT_FOUND.test(failure ?? ''))
    const installer = likeliest(history.unit, first.failedMs!, upMs, isMissing, installers)
    if (!installer) return []
    return [
      {
        id: 'started-before-installed' as const,
        title: sentence(history.unit, failures, installer, upMs),
        steps: [history.unit, installer.name],
        startedMs: first.startedMs,
      },
    ]
  })
}

/** A program that is not there, or cannot be executed yet; systemd's 203 is the same from execve. */
const NOT_FOUND = /exit status (?:203|126|127)\b/
/** A unit that fails this often from the start lacks something. */
const MANY = 3

function earlyFailures({ attempts }: UnitHistory): Attempt[] {
  const failures = attempts.filter(({ failedMs }) => failedMs !== undefined)
  return failures.length >= MANY || failures.some(({ failure }) => NOT_FOUND.test(failure ?? '')) ? failures : []
}

/** Shorter modules of cloud-init have installed nothing. */
const WORK_MS = 500

function isInstaller({ name, source, startedMs, endedMs }: Part): boolean {
  if (source === 'phase' || source === 'provision') return true
  if (source !== 'cloud-init') return false
  return (
    /\/(?:config-)?(?:package|scripts|runcmd|snap|ansible|puppet|chef|salt|apt)/.test(name) &&
    (endedMs === null || endedMs - startedMs >= WORK_MS)
  )
}

/** The step that most looks as if it brought what was missing; it had not ended when the unit failed. */
function likeliest(
  unit: string,
  failedMs: number,
  upMs: number | undefined,
  isMissing: boolean,
  installers: readonly Part[],
): Part | undefined {
  const rated = installers
    .filter(({ endedMs }) => (endedMs ?? Infinity) > failedMs)
    .map((part) => ({ part, points: points(part, unit, upMs) }))
    // Without a missing program a unit may fail for a hundred reasons: more has to speak for this one.
    .filter((rating) => isMissing || rating.points >= ENOUGH)
  const endOf = (rating: { part: Part }) => rating.part.endedMs ?? Infinity
  // What came up did so after the last thing that it needed; of what never did, the first step says most.
  const sooner = upMs === undefined ? 1 : -1
  return rated.sort((a, b) => b.points - a.points || sooner * (endOf(a) - endOf(b)))[0]?.part
}

const ENOUGH = 4
/** Up within this after the step ended: by the restart that came next. */
const SOON_MS = 120_000

function points({ name, source, endedMs }: Part, unit: string, upMs: number | undefined): number {
  const helped = upMs !== undefined && endedMs !== null && endedMs <= upMs + 1000 && upMs - endedMs <= SOON_MS
  const words = unit
    .replace(/\.\w+$/, '')
    .split(/[-_.@]/)
    .filter((word) => word.length >= 3)
  const isNamed = words.some((word) => name.toLowerCase().includes(word.toLowerCase()))
  const installs = /install|setup|depend|packag|provision|deploy|download|fetch/i.test(name)
  return (isNamed ? 4 : 0) + (helped ? 4 : 0) + (source === 'cloud-init' ? 0 : 1) + (helped || !installs ? 0 : 2)
}

function sentence(unit: string, failures: readonly Attempt[], installer: Part, upMs: number | undefined): string {
  const why = [...new Set(failures.map(({ failure }) => failure ?? 'failed'))].slice(0, 2).join(', ')
  const times = failures.length === 1 ? 'it failed' : `${failures.length} starts failed`
  const ended = installer.endedMs === null ? 'has not ended' : `ended at ${since(installer.endedMs)}`
  const up = upMs === undefined ? 'it never came up' : `it was up at ${since(upMs)}`
  return `${unit} was started at ${since(failures[0]!.startedMs)}, before ${installer.name} (${installer.source}, ${ended}) had installed what it needs: ${times} (${why}), ${up}.`
}
