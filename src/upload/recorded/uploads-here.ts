/** What is sent, for a bundle of the daemon that sends. */
import { join } from 'node:path'
import type { UploadsRecorded } from '../../collect/recorded-uploads.ts'
import { shownUpload } from '../shown.ts'
import type { Uploads } from '../upload.ts'

/** @param uploads are known when somebody asks. */
export function uploadsHere(uploads: () => Pick<Uploads, 'list'>, stateDir: string): UploadsRecorded {
  return {
    origin: join(stateDir, 'uploads.db'),
    list: async (filter) => (await uploads().list(filter)).map((record) => shownUpload(record)),
  }
}
