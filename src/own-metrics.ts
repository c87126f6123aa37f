/** What diagd tells of itself at /metrics, put together from its parts. docs/metrics.md lists it. */
import type { Places } from './http/places.ts'
import { tellOtlp, type OtlpHealth } from './otlp/state.ts'
import type { Family } from './record/metrics/families.ts'
import type { Reading } from './record/metrics/metric.ts'
import { createOwnMetrics } from './record/metrics/own.ts'
import type { Keeping, KeepingHealth } from './record/keeping.ts'
import type { Measuring } from './record/measuring.ts'
import type { Recording } from './record/recording.ts'
import { tellShipping } from './upload/metrics.ts'
import type { Shipping } from './upload/shipping.ts'

export interface OwnParts {
  readonly version: string
  readonly places: Places
  readonly recording: Recording | undefined
  readonly measuring: Measuring | undefined
  readonly keeping: Keeping | undefined
  readonly shipping: Shipping | undefined
  readonly problems: () => readonly unknown[]
  readonly otlp: () => OtlpHealth | undefined
}

export interface OwnTelling {
  /** The machine as it is now, and diagd's own. Never rejects: where the machine cannot be read, that is told. */
  families(): Promise<readonly Family[]>
  /** A line of the audit log: bundles and refusals. */
  audited(fields: object): void
}

export function createOwnTelling(parts: OwnParts): OwnTelling {
  const { version, places, recording, measuring, keeping, shipping, problems, otlp } = parts
  const own = createOwnMetrics()
  let readable: number | undefined
  own.ask('gauge', 'diagd_build_info', 'Version of diagd and of what it runs in.', () => [
    { labels: { version, node_version: process.version }, value: 1 },
  ])
  own.ask('gauge', 'diagd_reading_success', 'Whether the machine could be read for this answer.', () => readable)
  own.ask('gauge', 'diagd_problems', 'What diagd cannot do, or does without.', () => problems().length)
  own.ask('gauge', 'diagd_bundles_running', 'Bundles that are being made.', () => places.running)
  if (recording) tellRecording(own, recording)
  if (measuring) tellMeasuring(own, measuring)
  if (keeping) tellKeeping(own, keeping)
  if (shipping) tellShipping(own, shipping)
  tellOtlp(own, otlp)
  const audited = auditing(own)
  return {
    audited,
    async families() {
      const reading = await measuring?.reading().catch(() => undefined)
      readable = measuring && (reading ? 1 : 0)
      return [...(reading ? await machineFamilies(reading) : []), ...own.families()]
    },
  }
}

/** The catalogue is loaded when somebody asks. */
async function machineFamilies(reading: Reading): Promise<Family[]> {
  const { readingFamilies } = await import('./record/metrics/families.ts')
  const { CATALOGUE } = await import('./record/metrics/catalogue/index.ts')
  return readingFamilies(reading, CATALOGUE)
}

type Own = ReturnType<typeof createOwnMetrics>

function tellRecording(own: Own, recording: Recording): void {
  const of = (key: 'sizeBytes' | 'events' | 'refusedEvents' | 'withheldEvents') => () => recording.health()[key]
  own.ask('gauge', 'diagd_events_recording', 'Whether events are recorded now.', () =>
    recording.health().state === 'recording' ? 1 : 0,
  )
  own.ask('counter', 'diagd_events_recorded_total', 'Events that were recorded, by level.', recording.counts)
  own.ask('counter', 'diagd_events_refused_total', 'Events that could not be recorded.', of('refusedEvents'))
  own.ask('counter', 'diagd_events_withheld_total', 'Events whose words could not be masked.', of('withheldEvents'))
  own.ask('gauge', 'diagd_events_stored', 'Events in events.db.', of('events'))
  own.ask('gauge', 'diagd_events_size_bytes', 'Size of events.db and its log.', of('sizeBytes'))
}

function tellMeasuring(own: Own, measuring: Measuring): void {
  const of = (key: 'sizeBytes' | 'samples' | 'refusedSamples') => () => measuring.health()[key]
  own.ask('gauge', 'diagd_metrics_recording', 'Whether samples are kept now.', () =>
    measuring.health().state === 'recording' ? 1 : 0,
  )
  own.ask('counter', 'diagd_samples_refused_total', 'Samples that could not be kept.', of('refusedSamples'))
  own.ask('gauge', 'diagd_samples_stored', 'Samples in metrics.db, besides its minutes.', of('samples'))
  own.ask('gauge', 'diagd_metrics_size_bytes', 'Size of metrics.db and its log.', of('sizeBytes'))
}

function tellKeeping(own: Own, keeping: Keeping): void {
  const of = (value: (health: KeepingHealth) => number | undefined) => () => value(keeping.health())
  const following = ({ engines = [] }: KeepingHealth) => engines.filter(({ state }) => state === 'following')
  own.ask(
    'gauge',
    'diagd_container_engines_followed',
    'Engines of containers that are followed now.',
    of((health) => following(health).length),
  )
  own.ask(
    'gauge',
    'diagd_containers_followed',
    'Containers that are followed now.',
    of((health) => following(health).reduce((all, { containers }) => all + containers, 0)),
  )
  own.ask(
    'counter',
    'diagd_container_lines_total',
    'Lines of logs of containers that were kept.',
    of(({ lines = 0 }) => lines),
  )
  own.ask('counter', 'diagd_container_lines_dropped_total', 'Lines of logs of containers that were not kept.', () => {
    const { dropped = { flood: 0, withheld: 0, cap: 0 }, ambiguous = 0 } = keeping.health()
    return Object.entries({ ...dropped, ambiguous }).map(([reason, value]) => ({ labels: { reason }, value }))
  })
  own.ask(
    'counter',
    'diagd_container_events_dropped_total',
    'Events of engines that could not be recorded.',
    of(({ droppedEvents = 0 }) => droppedEvents),
  )
  own.ask(
    'gauge',
    'diagd_containers_size_bytes',
    'What is kept of containers takes so much of the disk.',
    of(({ keptBytes }) => keptBytes),
  )
}

/** Of what the audit log says. */
interface Audited {
  readonly outcome?: string
  readonly code?: string
  readonly bytesOut?: number
  /** Refusals before this one that found no room in the log. */
  readonly notLogged?: number
}

function auditing(own: Own): OwnTelling['audited'] {
  const bundles = own.counter('diagd_bundles_total', 'Bundles by how they ended.')
  const sent = own.counter('diagd_bundle_bytes_total', 'Bytes of bundles that were handed over.')
  const refused = own.counter(
    'diagd_requests_refused_total',
    'Requests that were refused, as far as the audit log has them.',
  )
  return (fields) => {
    const { outcome, code, bytesOut = 0, notLogged = 0 } = fields as Audited
    if (outcome === undefined) return
    if (outcome === 'refused') {
      refused({ code: code ?? 'internal' })
      if (notLogged > 0) refused({ code: 'not-logged' }, notLogged)
      return
    }
    bundles({ outcome: outcome.replaceAll(' ', '-') })
    sent({}, bytesOut)
  }
}
