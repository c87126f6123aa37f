/** What a daemon sends, for a bundle that is made beside it: through its socket, and where it does not answer from its database. */
import { join } from 'node:path'
import { nothingSent, type UploadsRecorded } from '../../collect/recorded-uploads.ts'
import type { RecordedUpload } from '../../collector.ts'
import type { Beside } from '../../record/beside.ts'
import { SourceError } from '../../sources/source.ts'
import { shownUpload } from '../shown.ts'
import { listReadOnly } from './read-only.ts'

export interface UploadsBesideOptions {
  readonly daemon: Beside
  readonly stateDir: string
  /** Here; the daemon may have been told otherwise, by its environment. */
  readonly isConfigured: boolean
}

export function uploadsBeside({ daemon, stateDir, isConfigured }: UploadsBesideOptions): UploadsRecorded {
  const path = join(stateDir, 'uploads.db')
  return {
    origin: path,
    async list(filter, ctx) {
      const { limit, state } = filter
      const query = new URLSearchParams({ limit: String(limit), ...(state && { state }) })
      const asked = daemon.through(
        async () => {
          const answer = await daemon.json(`/uploads?${query.toString()}`, ctx)
          return (answer as { uploads: RecordedUpload[] }).uploads
        },
        async () => (await listReadOnly(path, filter, ctx)).map((record) => shownUpload(record)),
      )
      return asked.catch((error: unknown) => {
        if (error instanceof SourceError && error.quiet && !isConfigured) throw nothingSent()
        throw error
      })
    },
  }
}
