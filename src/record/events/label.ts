/** What the main thread has to know of events.db. */
import type { Label } from '../store/book.ts'

export const EVENTS_LABEL: Label = {
  name: 'events',
  fileName: 'events.db',
  words: { database: 'The database of events', kept: 'Events', units: 'events' },
}
