/**
 * The calls of systeminformation that read /proc and /sys only (checked with strace, 5.33). Its others run shells, `docker`,
 * `lscpu`, `df`, `sensors`: an allow-list, so that an update cannot widen what diagd does to the machine.
 */
import type { Kit } from '../collector.ts'

const ALLOWED = ['mem'] as const

export const systeminformation: Kit['systeminformation'] = async (call) => {
  if (!ALLOWED.includes(call))
    throw new TypeError(`systeminformation.${call} is not allowed; allowed: ${ALLOWED.join(', ')}`)
  // On first use, and not the 40 files of all calls: what is loaded stays.
  const { default: library } = await import('systeminformation/lib/memory.js')
  return library[call]()
}
