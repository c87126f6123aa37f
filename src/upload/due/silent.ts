/** Triggers that are switched on and can never fire, for what they listen to is switched off. */
import type { Config } from '../../config.ts'
import type { TriggersConfig } from '../../config/upload-triggers.ts'
import type { Trigger } from '../upload.ts'
import { limitsOf } from './limits.ts'

export interface SilentTrigger {
  readonly trigger: Trigger
  /** `events is none` */
  readonly why: string
}

type Source = 'events' | 'metrics' | 'containers'

const NEEDS: readonly (readonly [trigger: Trigger, needs: readonly Source[]])[] = [
  ['container', ['events', 'containers']],
  ['unit', ['events']],
  ['oom-kill', ['events']],
  ['slow-boot', ['events']],
  ['failed-boot', ['events']],
  ['unclean-end', ['events']],
  ['pressure', ['metrics']],
  ['disk', ['metrics']],
]

export function silentTriggers(triggers: TriggersConfig, config: Pick<Config, Source>): readonly SilentTrigger[] {
  return NEEDS.flatMap(([trigger, needs]) => {
    const source = needs.find((one) => config[one] === 'none')
    return source !== undefined && limitsOf(triggers, trigger) ? [{ trigger, why: `${source} is none` }] : []
  })
}

/** For people; undefined where all of them can fire. */
export function silentWarning(silent: readonly SilentTrigger[]): string | undefined {
  if (silent.length === 0) return undefined
  const causes = Array.from(
    Map.groupBy(silent, ({ why }) => why),
    ([why, these]) => {
      return `${these.map(({ trigger }) => trigger).join(', ')} (${why})`
    },
  )
  return `uploads: triggers that can never fire: ${causes.join('; ')}`
}
