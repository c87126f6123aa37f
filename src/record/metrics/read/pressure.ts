/** Pressure stall information: /proc/pressure, and the files of the same form in control groups of version 2. */
import type { Files } from './files.ts'
import { known, type Part, type Reader } from './reader.ts'

const RESOURCES = ['cpu', 'memory', 'io'] as const

export function pressureReader(files: Files): Reader {
  return {
    name: 'pressure',
    read(): Part {
      const values = RESOURCES.map((resource) => {
        const { some, full } = pressureIn(files.line(`/proc/pressure/${resource}`) ?? '')
        // Of a whole machine the kernel says 0.
        const all = resource === 'cpu' ? undefined : full
        return known({
          [`pressure_${resource}_some_seconds`]: some?.seconds,
          [`pressure_${resource}_some_avg10_ratio`]: some?.avg10,
          [`pressure_${resource}_full_seconds`]: all?.seconds,
          [`pressure_${resource}_full_avg10_ratio`]: all?.avg10,
        })
      })
      return { host: Object.assign({}, ...values) as Record<string, number> }
    },
  }
}

interface Stall {
  readonly seconds: number
  /** 0 to 1. */
  readonly avg10: number
}

/** `some avg10=1.51 avg60=5.90 avg300=7.21 total=9479141757`, total in microseconds; and a line for `full`. */
export function pressureIn(text: string): { some?: Stall; full?: Stall } {
  const lines = [...text.matchAll(/^(some|full) avg10=([\d.]+) .*total=(\d+)$/gm)]
  return Object.fromEntries(
    lines.map(([, kind, avg10, total]) => [kind, { seconds: Number(total) / 1e6, avg10: Number(avg10) / 100 }]),
  )
}
