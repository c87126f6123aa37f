/** boot/timeline.txt: what went wrong first, then one line for each step that took time. No I/O. */
import { oneLine } from '../proc-text.ts'
import { fitted } from './fitted.ts'
import { MINOR_MS, worthShowing } from './shown.ts'
import { clockText, fewer, since, span, STATES } from './say.ts'
import type { SourceState, Step, StepSource, Timeline } from './types.ts'

/** What a terminal, a ticket and a sheet of paper show without a break. */
const WIDTH = 120

export function timelineText(timeline: Timeline): string {
  const sections = [
    heading(timeline),
    findings(timeline),
    gaps(timeline),
    clock(timeline),
    table(timeline),
    totals(timeline),
    overlaps(timeline),
    sources(timeline.sources),
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function heading({ bootId, state, startedAt, wallClockMs }: Timeline): string[] {
  return [
    ...wrapped(`Boot ${bootId}, from ${startedAt ?? 'an unknown time'}, ${span(wallClockMs)}: ${STATES[state]}`, '  '),
    'Times count from the start of the boot; those of the clock are UTC.',
  ]
}

function findings({ findings, steps }: Timeline): string[] {
  if (findings.length === 0 && steps.length === 0) return ['Nothing tells of the steps of this boot.']
  if (findings.length === 0) return ['None of the known disasters was seen (docs/boot-timeline.md lists them).']
  return fewer(findings.map(({ title }) => title)).flatMap((title) => wrapped(`! ${title}`, '  '))
}

function gaps({ gaps }: Timeline): string[] {
  if (gaps.length === 0) return []
  const lines = gaps.flatMap(({ startedMs, endedMs, durationMs, waitedFor }) => {
    const names = waitedFor.length === 0 ? 'nothing that is known of was at work' : `at work: ${waitedFor.join(', ')}`
    return wrapped(`${since(startedMs)} to ${since(endedMs)}, ${span(durationMs)}; ${names}`, '    ', '  ')
  })
  return ['Silence, when no step began or ended:', ...lines]
}

function clock({ clockSteps }: Timeline): string[] {
  return clockSteps.flatMap((step) => wrapped(`! ${clockText(step)}`, '  '))
}

const COLUMNS = { status: 11, started: 10, ended: 10, duration: 12, at: 12 }
const NAME_WIDTH = WIDTH - Object.values(COLUMNS).reduce((sum, width) => sum + width + 2, 0)

function table({ steps }: Timeline): string[] {
  const shown = worthShowing(steps)
  const left = steps.length - shown.length
  const head = row(['step', 'status', 'started', 'ended', 'duration', 'clock (UTC)'])
  return [
    head,
    '-'.repeat(WIDTH),
    ...shown.flatMap(({ step, depth }) => stepLines(step, depth)),
    ...(left > 0 ? [`… and ${left} steps of less than ${MINOR_MS} ms: timeline.json has them`] : []),
  ]
}

/** Words that a person looks for are in capitals. */
const STATUSES: Readonly<Record<Step['status'], string>> = {
  done: 'done',
  failed: 'FAILED',
  running: 'running',
  'never-ended': 'NEVER ENDED',
  restarted: 'RESTARTED',
}

function stepLines(step: Step, depth: number): string[] {
  const { name, source, status, startedMs, endedMs, durationMs, startedAt, detail } = step
  const label = oneLine(KNOWN_BY_NAME.has(source) ? name : `${source}: ${name}`)
  const cells = [
    '  '.repeat(depth) + fitted(label, NAME_WIDTH - 2 * depth),
    STATUSES[status],
    since(startedMs),
    endedMs === null ? '-' : since(endedMs),
    durationMs === null ? '-' : span(durationMs),
    startedAt === null ? '?' : startedAt.slice(11, 23),
  ]
  const said =
    detail === '' || (source === 'container' && status === 'done')
      ? []
      : wrapped(oneLine(detail), indent(depth + 2), indent(depth + 2))
  return [row(cells), ...said]
}

/** Whose names say what they are. */
const KNOWN_BY_NAME: ReadonlySet<StepSource> = new Set(['kernel', 'systemd', 'cloud-init'])

const indent = (depth: number): string => '  '.repeat(depth)

function row([name = '', status = '', started = '', ended = '', duration = '', at = '']: readonly string[]): string {
  return [
    name.padEnd(NAME_WIDTH),
    status.padEnd(COLUMNS.status),
    started.padStart(COLUMNS.started),
    ended.padStart(COLUMNS.ended),
    duration.padStart(COLUMNS.duration),
    at.padStart(COLUMNS.at),
  ].join('  ')
}

function totals({ steps, sumMs, wallClockMs, stepsLeftOut }: Timeline): string[] {
  const counts = Map.groupBy(steps, ({ status }) => status)
  const said = [...counts].map(([status, some]) => `${some.length} ${status}`).join(', ')
  const together = wallClockMs > 0 ? `, ${(sumMs / wallClockMs).toFixed(1)} at work at a time` : ''
  return [
    `steps       ${steps.length}: ${said}${stepsLeftOut > 0 ? `; ${stepsLeftOut} more were left out` : ''}`,
    `sum         ${span(sumMs)} of all steps that are not a part of another one${together}`,
    `wall clock  ${span(wallClockMs)}`,
  ]
}

const MOST_OVERLAPS = 5

function overlaps({ overlaps }: Timeline): string[] {
  if (overlaps.length === 0) return []
  const lines = overlaps
    .slice(0, MOST_OVERLAPS)
    .flatMap(({ steps, startedMs, durationMs }) =>
      wrapped(`${span(durationMs)} from ${since(startedMs)} on: ${steps.join(' and ')}`, '    ', '  '),
    )
  return ['Longest side by side:', ...lines]
}

function sources(states: readonly SourceState[]): string[] {
  const absent = states.filter(({ present }) => !present)
  if (absent.length === 0) return []
  return [
    'Not in it:',
    ...absent.flatMap(({ source, detail }) => wrapped(`${source.padEnd(10)}  ${detail}`, ' '.repeat(14), '  ')),
  ]
}

/** Breaks at spaces; of a word that is longer than a line nothing is left: half a secret is none that the mask knows. */
function wrapped(text: string, further: string, first = ''): string[] {
  const lines: string[] = []
  let line = first
  for (const word of oneLine(text)
    .split(' ')
    .map((each) => (each.length > WIDTH - 20 ? '…' : each))) {
    const fresh = line.trim() === ''
    if (!fresh && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = further + word
    } else line = fresh ? line + word : `${line} ${word}`
  }
  return [...lines, line]
}
