/** What diagd tells of its uploads at /metrics. docs/metrics-api.md lists it. */
import type { OwnMetrics } from '../record/metrics/own.ts'
import type { Shipping } from './shipping.ts'
import type { UploadCounts } from './upload.ts'

export function tellShipping(own: OwnMetrics, shipping: Pick<Shipping, 'counts' | 'heldBack'>): void {
  const of = (value: (counts: UploadCounts) => number | undefined) => () => value(shipping.counts())
  own.ask('counter', 'diagd_uploads_total', 'Bundles that were to be sent, by what became of them.', () => {
    const { uploaded, gaveUp, dropped } = shipping.counts()
    const results = { uploaded, 'gave-up': gaveUp, dropped }
    return Object.entries(results).map(([result, value]) => ({ labels: { result }, value }))
  })
  own.ask('counter', 'diagd_upload_tries_failed_total', 'Tries to send a bundle that failed, by why.', () =>
    Object.entries(shipping.counts().failed).map(([kind, value]) => ({ labels: { kind }, value })),
  )
  own.ask(
    'counter',
    'diagd_upload_bytes_total',
    'Bytes of bundles that were given to be sent, whatever became of them.',
    of(({ sentBytes }) => sentBytes),
  )
  own.ask(
    'gauge',
    'diagd_uploads_waiting',
    'Bundles that are to be sent, and are not there yet.',
    of(({ waiting }) => waiting),
  )
  own.ask(
    'gauge',
    'diagd_upload_last_success_timestamp_seconds',
    'When the last bundle arrived.',
    of(({ lastUploadedMs }) => lastUploadedMs && lastUploadedMs / 1000),
  )
  own.ask(
    'counter',
    'diagd_upload_runs_skipped_total',
    'Runs of the schedule that were left out, for the one before was not done.',
    of(({ skipped }) => skipped),
  )
  own.ask(
    'counter',
    'diagd_upload_triggers_suppressed_total',
    'Bundles that triggers wanted and that were not made for themselves, by trigger and why.',
    () => shipping.heldBack(),
  )
}
