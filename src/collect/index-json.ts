/** The first entry: what this is, of whom, when, and what was asked for. Sent before anything slow is touched. */
import { readFileSync, statSync } from 'node:fs'
import { release, uptime } from 'node:os'
import { VERSION } from '../version.ts'
import { BUNDLE_SCHEMA } from './manifest.ts'
import type { PlannedCollector } from './plan.ts'
import type { BundleRun } from './run.ts'
import { ALWAYS_MS } from './window.ts'

/** index.json; its schema is docs/schema/index.schema.json. */
export function indexJson(bundleId: string, run: BundleRun, plan: readonly PlannedCollector[]): string {
  const { request, deps, startedAtMs } = run
  const { root, host } = deps
  const index = {
    schema: BUNDLE_SCHEMA,
    bundleId,
    node: host.node,
    hostname: host.hostname,
    bootId: host.bootId,
    createdAt: new Date(startedAtMs).toISOString(),
    versions: { diagd: VERSION, node: process.version, kernel: release(), os: osName(root) },
    uid: host.uid,
    window: {
      since: new Date(request.sinceMs).toISOString(),
      until: new Date(request.untilMs).toISOString(),
      always: [
        { reason: 'start of this boot', firstMinutes: ALWAYS_MS / 60_000 },
        { reason: 'end of the previous boot', lastMinutes: ALWAYS_MS / 60_000 },
      ],
    },
    limits: request.limits,
    clock: {
      utc: new Date(startedAtMs).toISOString(),
      boottimeSeconds: uptime(),
      zone: host.timeZone,
      synchronized: synchronized(root),
    },
    format: request.format,
    compression: request.compression,
    encryption: request.recipients.length > 0 ? { format: 'age', recipients: request.recipients.length } : null,
    redaction: request.unmasked ? 'UNMASKED' : request.pseudonymize ? 'masked and pseudonymized' : 'masked',
    request: { only: request.only ?? null, skip: request.skip },
    problems: deps.dropInProblems,
    plan: plan.map(({ id, ...rest }) => ({ collector: id, ...rest })),
  }
  return `${JSON.stringify(index, infinityAsNone, 2)}\n`
}

/** Whether timesyncd has synchronized the clock since boot; null where it does not run and nothing is known. */
export function synchronized(root: string): boolean | null {
  if (exists(`${root}/run/systemd/timesync/synchronized`)) return true
  return exists(`${root}/run/systemd/timesync`) ? false : null
}

function osName(root: string): string {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      const name = /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync(root + path, 'utf8'))?.[1]
      if (name !== undefined) return name
    } catch {
      // The next place.
    }
  }
  return 'unknown'
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** JSON has no infinity: a lifted limit is the string "none". */
function infinityAsNone(_: string, value: unknown): unknown {
  return value === Infinity ? 'none' : value
}
