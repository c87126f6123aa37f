/** What was to be sent of this machine, as a bundle gets at it: through the daemon, or beside one. */
import type { RecordedUpload, RecordedUploads } from '../collector.ts'
import { SourceError } from '../sources/source.ts'
import { inTime, type RecordedContext } from './recorded.ts'

export interface UploadsRecorded {
  /** The newest first, at most so many. Rejects when they cannot be asked for. */
  list(filter: RecordedUploadsFilter, ctx: RecordedContext): Promise<readonly RecordedUpload[]>
  /** Where the database is, for people. */
  readonly origin: string
}

export interface RecordedUploadsFilter {
  readonly limit: number
  readonly state?: 'waiting'
}

export const NOTHING_SENT: UploadsRecorded = {
  list: () => Promise.reject(nothingSent()),
  origin: 'uploads.db',
}

export function nothingSent(): SourceError {
  return new SourceError('skipped', 'nothing is uploaded: the configuration says uploads: none', { quiet: true })
}

/** A row has two kilobytes at most in general: a bundle of a machine that goes down has 5 MiB. */
const NEWEST = 100
/** As many as may wait. */
const WAITING = 200

export function uploadsOf({ list, origin }: UploadsRecorded, ctx: RecordedContext): RecordedUploads {
  return {
    async newest() {
      const ask = (filter: RecordedUploadsFilter) => inTime(list(filter, ctx), origin, ctx)
      const newest = await ask({ limit: NEWEST })
      if (newest.length < NEWEST) return newest
      // What has waited longer than that is what somebody looks for.
      const oldest = Math.min(...newest.map(({ id }) => id))
      const waiting = await ask({ limit: WAITING, state: 'waiting' })
      return [...newest, ...waiting.filter(({ id }) => id < oldest)]
    },
  }
}
