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
import { createEventStore } from './events/store.ts'

export interface OpenRecorderOptions {
  readonly config: Pick<Config, 'stateDir'> & { readonly events: EventsConfig }
  readonly redaction: RedactionDeps
  readonly bootId: string
  readonly version: string
  readonly log: RecorderOptions['log']
}

export async function openRecorder(options: OpenRecorderOptions): Promise<OpenRecorder> {
  const { config, redaction, bootId, version, log } = options
  const { maxAgeMs, maxBytes, phaseStart, phaseEnd } = config.events
  const store = createEventStore({ folder: config.stateDir, bootId, maxAgeMs, maxBytes })
  const { settings } = redaction
  const redactor = settings === 'unknown' ? undefined : createRestingRedactor({ ...redaction, settings })
  const phases = {
    start: phaseStart === undefined ? PHASE_PATTERNS.start : new RegExp(phaseStart),
    end: phaseEnd === undefined ? PHASE_PATTERNS.end : new RegExp(phaseEnd),
  }
  const recorder = createRecorder({ store, redactor, bootId, version, path: FIXED_PATH, root: '', phases, log })
  return { store, recorder, mask: createMask(redactor) }
}
