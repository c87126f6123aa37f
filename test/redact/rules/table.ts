/** A table test of one kind of rule. */
import { describe, expect, it } from 'vitest'
import { maskAll, shapeOf } from '../mask-all.ts'

export interface Table {
  /** What goes in, and what comes out with `#` in place of the token. */
  readonly masked: readonly (readonly [input: string, output: string])[]
  /** What looks like it and is none. */
  readonly untouched: readonly string[]
}

export function table(title: string, { masked, untouched }: Table): void {
  describe(title, () => {
    it.each(masked)('masks %j', (input, output) => {
      const once = maskAll(input)
      expect(shapeOf(once)).toBe(output)
      expect(maskAll(once)).toBe(once)
      for (let first = 1; first < input.length; first += 3) expect(maskAll(input, { first })).toBe(once)
    })
    it.each(untouched)('leaves %j', (input) => expect(maskAll(input)).toBe(input))
  })
}
