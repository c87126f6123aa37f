/** What became of what was sent, for /health and /metrics. */
import type { FamilySample } from '../record/metrics/families.ts'
import type { OwnMetrics } from '../record/metrics/own.ts'

/** All since the start; items are data points of metrics, or events. */
interface Counts {
  /** Requests. */
  taken: number
  failed: number
  refused: number
  /** Items in requests that were taken. */
  sentItems: number
  /** Items that the collector took and threw away, in requests that it refused, or that were gone before it would take them. */
  rejectedItems: number
  refusedItems: number
  lostItems: number
}

interface SignalHealth extends Readonly<Counts> {
  readonly state: 'starting' | 'sending' | 'waiting'
  /** Why it waits, or what the collector rejected last. */
  readonly problem?: string
  /** Since when it waits. */
  readonly since?: string
}

/** Of the exporter. */
export interface OtlpHealth {
  readonly metrics?: SignalHealth
  readonly events?: SignalHealth
  readonly problems: readonly string[]
}

export interface SignalState {
  taken(items: number, rejected?: { readonly count: number; readonly message: string }): void
  failed(reason: string): void
  refused(items: number, reason: string): void
  lost(items: number): void
  health(): SignalHealth
  /** Milliseconds for which nothing was taken; 0 while it works. */
  waitingMs(): number
}

export function createState(now = Date.now): SignalState {
  const counts: Counts = {
    taken: 0,
    failed: 0,
    refused: 0,
    sentItems: 0,
    rejectedItems: 0,
    refusedItems: 0,
    lostItems: 0,
  }
  let state: SignalHealth['state'] = 'starting'
  let problem: string | undefined
  let sinceMs: number | undefined
  const well = (words?: string) => {
    state = 'sending'
    problem = words
    sinceMs = undefined
  }
  return {
    taken(items, rejected) {
      counts.taken += 1
      counts.sentItems += items - (rejected?.count ?? 0)
      counts.rejectedItems += rejected?.count ?? 0
      well(rejected && `the collector rejected ${rejected.count}: ${rejected.message.slice(0, 200)}`)
    },
    failed(reason) {
      counts.failed += 1
      state = 'waiting'
      problem = reason
      sinceMs ??= now()
    },
    refused(items, reason) {
      counts.refused += 1
      counts.refusedItems += items
      well(`the collector refused a request: ${reason}`)
    },
    lost: (items) => void (counts.lostItems += items),
    health: () => ({
      state,
      ...(problem === undefined ? {} : { problem }),
      ...(sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() }),
      ...counts,
    }),
    waitingMs: () => (sinceMs === undefined ? 0 : now() - sinceMs),
  }
}

/** Among diagd's own metrics. */
export function tellOtlp(own: OwnMetrics, health: () => OtlpHealth | undefined): void {
  const told = (samples: typeof samplesOf) => () => {
    const { metrics, events } = health() ?? {}
    return [...(metrics ? samples('metrics', metrics) : []), ...(events ? samples('events', events) : [])]
  }
  own.ask('counter', 'diagd_otlp_requests_total', 'Requests to the collector by what became of them.', told(samplesOf))
  own.ask('counter', 'diagd_otlp_items_total', 'Data points and events by what became of them.', told(itemSamplesOf))
}

function samplesOf(signal: string, { taken, failed, refused }: SignalHealth): FamilySample[] {
  return Object.entries({ taken, failed, refused }).map(([outcome, value]) => ({ labels: { signal, outcome }, value }))
}

function itemSamplesOf(signal: string, health: SignalHealth): FamilySample[] {
  const { sentItems: sent, rejectedItems: rejected, refusedItems: refused, lostItems: lost } = health
  return Object.entries({ sent, rejected, refused, lost }).map(([fate, value]) => ({ labels: { signal, fate }, value }))
}
