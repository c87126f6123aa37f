/** Ctrl-C and its relatives as an AbortSignal. */
import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interrupt {
  readonly signal: AbortSignal
  /** 130 for Ctrl-C, 143 for SIGTERM, 129 for a terminal that went away; undefined when nothing came. */
  readonly exitCode: () => number | undefined
  readonly release: () => void
}

/** A second signal changes nothing: what the first one started is on its way, and bounded. */
export function catchSignals(): Interrupt {
  const controller = new AbortController()
  let exitCode: number | undefined
  const handler = (name: (typeof SIGNALS)[number]) => {
    exitCode ??= 128 + constants.signals[name]
    controller.abort(new Error(`stopped by ${name}`))
  }
  for (const name of SIGNALS) process.on(name, handler)
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    release: () => {
      for (const name of SIGNALS) process.off(name, handler)
    },
  }
}
