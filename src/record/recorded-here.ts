/** What was recorded, for a bundle of the daemon that records. */
import { join } from 'node:path'
import type { Recorded } from '../collect/recorded.ts'
import { snapshotSource } from '../sources/sqlite.ts'
import type { Recording } from './recording.ts'

export function recordedHere(recording: Recording, stateDir: string): Recorded {
  const path = join(stateDir, 'events.db')
  return {
    origin: path,
    newest: (filter) => recording.query(filter),
    open: async ({ signal }) => snapshotSource(await recording.snapshot(signal), path, signal),
    setAside: () => recording.setAside(),
  }
}
