/** Who took most at a time: processes are recorded while something waits. No I/O. */
import type { Overview, Thing } from './types.ts'
import { amount, type Unit } from './units.ts'

/** Around the worst moment; the sample that named processes may be the one before. */
const AROUND_STEPS = 1

/** ` Largest then: java (4711) 6.10 GiB.`; nothing where no process was recorded. */
export function topAt(overview: Overview, step: number, words: string, column: string, unit: Unit): string {
  const found = overview
    .things('process')
    .map((process) => ({ process, value: around(process, column, step) }))
    .filter(({ value }) => value > 0)
    .toSorted((a, b) => b.value - a.value)[0]
  return found ? `. ${words}: ${found.process.name} ${amount(found.value, unit)}` : ''
}

function around(process: Thing, column: string, step: number): number {
  const values = process.line(column)?.max.slice(Math.max(0, step - AROUND_STEPS), step + AROUND_STEPS + 1) ?? []
  return Math.max(0, ...values.filter((value) => value !== null))
}
