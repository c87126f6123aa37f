/** How often a trigger may ask: from what is in the outbox, so that no restart makes it forget. */
import type { TriggerLimits, TriggersConfig } from '../../config/upload-triggers.ts'
import type { Trigger, Uploads } from '../upload.ts'

/** `burst`: a bundle that is not begun yet has it in it. `store`: the outbox cannot be asked, or does not take it. */
export const HOLDS = ['debounce', 'cap', 'burst', 'store'] as const
export type Hold = (typeof HOLDS)[number]

const DAY_MS = 86_400_000

/** `after`: the newest so old, or in the future (the clock was set back), is none to wait for. @throws StoreError */
export async function holdOf(
  trigger: Trigger,
  { debounceMs, perDay }: TriggerLimits,
  { fired, nowMs }: { readonly fired: Uploads['fired']; readonly nowMs: number },
): Promise<Hold | undefined> {
  const { count, lastMs } = await fired(trigger, nowMs - DAY_MS)
  if (lastMs !== undefined && lastMs <= nowMs && nowMs - lastMs < debounceMs) return 'debounce'
  return count >= perDay ? 'cap' : undefined
}

const KEYS: Readonly<Partial<Record<Trigger, keyof TriggersConfig>>> = {
  container: 'container',
  unit: 'unit',
  'oom-kill': 'oomKill',
  'slow-boot': 'slowBoot',
  'failed-boot': 'failedBoot',
  'unclean-end': 'uncleanEnd',
  pressure: 'pressure',
  disk: 'disk',
  shutdown: 'shutdown',
}

/** undefined where it is switched off, and of what is asked for or scheduled. */
export function limitsOf(config: TriggersConfig, trigger: Trigger): TriggerLimits | undefined {
  const key = KEYS[trigger]
  return key && config[key]
}
