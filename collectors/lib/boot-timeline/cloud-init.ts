/** Stages and modules of cloud-init from the lines of /var/log/cloud-init.log. No I/O. */
import type { BootClock } from './clock.ts'
import type { Part } from './parts.ts'
import type { ClockPair } from './types.ts'

/** Of one boot; cloud-init writes all of them into one file. */
export interface CloudInitRun {
  readonly startedWallMs: number
  /** A moment of each stage by both clocks, as exact as some hundredths of a second. */
  readonly pairs: readonly ClockPair[]
  readonly records: readonly Record[]
}

interface Record {
  readonly wallMs: number
  readonly kind: 'running' | 'start' | 'finish'
  readonly name: string
  readonly result: string
  readonly text: string
}

/** Each begins with `init-local`, whatever else is missing. */
export function cloudInitRuns(log: string): CloudInitRun[] {
  const runs: { startedWallMs: number; pairs: ClockPair[]; records: Record[] }[] = []
  let shiftMs = 0
  for (const line of log.split('\n')) {
    const parsed = parseLine(line)
    if (!parsed) continue
    const banner = parseBanner(parsed.text, parsed.localMs)
    // The lines are in UTC, but through syslog they are in local time and have no year: the banner has both.
    if (banner) shiftMs = banner.shiftMs
    const record = banner ? banner.record : recordOf(parsed.text)
    if (!record) continue
    const wallMs = parsed.localMs + shiftMs
    if (runs.length === 0 || (record.kind === 'running' && record.name === 'init-local')) {
      runs.push({ startedWallMs: wallMs, pairs: [], records: [] })
    }
    const run = runs.at(-1)!
    if (banner) run.pairs.push({ wallMs, monotonicMs: banner.upMs })
    run.records.push({ ...record, wallMs })
  }
  return runs
}

export function cloudInitParts(run: CloudInitRun, clock: BootClock): Part[] {
  const open = new Map<string, { startedMs: number; text: string }>()
  const parts: Part[] = []
  const at = (wallMs: number) => clock.toMonotonic(wallMs) ?? wallMs - run.startedWallMs
  for (const { kind, name, wallMs, result, text } of run.records) {
    if (kind !== 'finish') {
      if (!open.has(name)) open.set(name, { startedMs: at(wallMs), text })
      continue
    }
    const begun = open.get(name)
    open.delete(name)
    const status = result === 'FAIL' ? 'failed' : 'done'
    const detail = result === 'SUCCESS' ? '' : `${result}: ${text}`
    parts.push({ ...placed(name, begun?.startedMs ?? at(wallMs)), status, endedMs: at(wallMs), detail })
  }
  for (const [name, { startedMs }] of open) {
    parts.push({ ...placed(name, startedMs), status: 'open', endedMs: null, detail: '' })
  }
  return parts
}

function placed(name: string, startedMs: number): Pick<Part, 'name' | 'source' | 'startedMs' | 'parent'> {
  const [stage = name, ...module] = name.split('/')
  const parent = module.length > 0 ? stageName(stage) : UNITS[stage]
  return {
    name: module.length > 0 ? `${stage}/${module.join('/')}` : stageName(stage),
    source: 'cloud-init',
    startedMs,
    ...(parent === undefined ? {} : { parent }),
  }
}

const stageName = (stage: string): string => `cloud-init ${stage}`

/** The units that run the stages: the same time, measured from outside. */
const UNITS: Readonly<{ [stage: string]: string }> = {
  'init-local': 'cloud-init-local.service',
  'init-network': 'cloud-init.service',
  'modules-config': 'cloud-config.service',
  'modules-final': 'cloud-final.service',
}

/** What the banner calls them. */
const STAGES: Readonly<{ [mode: string]: string }> = {
  'init-local': 'init-local',
  init: 'init-network',
  'modules:config': 'modules-config',
  'modules:final': 'modules-final',
}

interface Line {
  readonly localMs: number
  readonly text: string
}

/** `2026-11-21 16:46:59,011 - util.py[DEBUG]: …`, and through syslog `Nov 03 06:51:06.074410 host cloud-init[1]: [CLOUDINIT] …`. */
function parseLine(line: string): Line | undefined {
  const [, day, time, ms, text] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)[,.](\d{3})\d* - [\w.-]+\[\w+\]: (.*)$/.exec(line) ?? []
  if (text !== undefined) return { localMs: Date.parse(`${day}T${time}.${ms}Z`), text }
  const [, date, clock, rest] =
    /^([A-Z][a-z]{2} +\d+) (\d\d:\d\d:\d\d(?:\.\d+)?) \S+ .*?\[CLOUDINIT\] [\w.-]+\[\w+\]: (.*)$/.exec(line) ?? []
  if (rest === undefined) return undefined
  // The banner brings the year.
  return { localMs: Date.parse(`${date} 1970 ${clock} UTC`), text: rest }
}

interface Banner {
  readonly shiftMs: number
  readonly upMs: number
  readonly record: Omit<Record, 'wallMs'>
}

function parseBanner(text: string, localMs: number): Banner | undefined {
  const [, mode, date, up] = /^Cloud-init v\. \S+ running '([\w:-]+)' at (.+?)\. Up ([\d.]+) seconds/.exec(text) ?? []
  if (mode === undefined) return undefined
  const name = STAGES[mode]
  const wallMs = Date.parse(date!)
  if (name === undefined || Number.isNaN(wallMs)) return undefined
  return {
    // Zones differ by quarters of an hour; the rest is what passed between asking for the time and writing the line.
    shiftMs: Math.round((wallMs - localMs) / QUARTER_MS) * QUARTER_MS,
    upMs: Number(up) * 1000,
    record: { kind: 'running', name, result: '', text: '' },
  }
}

const QUARTER_MS = 15 * 60_000

function recordOf(text: string): Omit<Record, 'wallMs'> | undefined {
  const [, kind, name, result = '', rest = ''] =
    /^(start|finish): ([a-z][\w./-]*): (?:(SUCCESS|WARN|FAIL): )?(.*)$/.exec(text) ?? []
  return kind === undefined ? undefined : { kind: kind as 'start' | 'finish', name: name!, result, text: rest }
}
