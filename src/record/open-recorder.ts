/** Puts store, mask and recorder together, as the configuration says. Loaded when the doors are open: READY does not wait for it. */
import type { RedactionDeps } from '../collect/redaction.ts'
import type { Config } from '../config.ts'
import type { EventsConfig } from '../config/events.ts'
import { FIXED_PATH } from '../sources/lookup.ts'
import { PHASE_PATTERNS } from './classify/phase.ts'
import { createRecorder, type RecorderOptions } from './recorder/recorder.ts'
import { createMask } from './recorder/mask.ts'
import type { OpenRecorder } from './recording.ts'
import { createRestingRedactor } from './recorder/resting-redactor.ts'
import type { NewEvent } from './events/event.ts'
import { createEventStore, type OwnEventStore } from './events/store.ts'
import type { StoreThread } from './store/thread.ts'

export interface OpenRecorderOptions {
  readonly config: Pick<Config, 'stateDir'> & { readonly events: EventsConfig }
  readonly redaction: RedactionDeps
  readonly bootId: string
  readonly version: string
  readonly log: RecorderOptions['log']
  readonly thread: StoreThread
  /** Gets what is in the database. */
  readonly stored: (events: readonly NewEvent[]) => void
}

export async function openRecorder(options: OpenRecorderOptions): Promise<OpenRecorder> {
  const { config, redaction, bootId, version, log, thread, stored } = options
  const { maxAgeMs, maxBytes, phaseStart, phaseEnd } = config.events
  const store = watched(createEventStore({ folder: config.stateDir, bootId, maxAgeMs, maxBytes, thread }), stored)
  const { settings } = redaction
  const redactor = settings === 'unknown' ? undefined : createRestingRedactor({ ...redaction, settings })
  const phases = {
    start: phaseStart === undefined ? PHASE_PATTERNS.start : new RegExp(phaseStart),
    end: phaseEnd === undefined ? PHASE_PATTERNS.end : new RegExp(phaseEnd),
  }
  const recorder = createRecorder({ store, redactor, bootId, version, path: FIXED_PATH, root: '', phases, log })
  const telling = createMask(redactor)
  return {
    store,
    recorder,
    mask: createMask(redactor),
    told: async (events) => (redaction.seen.version === 0 ? events : telling.events(events)),
  }
}

/** All that is recorded goes by here, but what a database tells of itself. */
function watched(store: OwnEventStore, stored: OpenRecorderOptions['stored']): OwnEventStore {
  return {
    ...store,
    async append(events, cursor) {
      const ids = await store.append(events, cursor)
      stored(events)
      return ids
    },
  }
}
