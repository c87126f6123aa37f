/** The test of the mask with every bundle notices each rule that lets its secrets through. */
import { expect, test } from 'vitest'
import { createRedactor } from '../../src/redact/redactor.ts'
import type { Rule } from '../../src/redact/rule.ts'
import { RULES } from '../../src/redact/rules.ts'
import { selfTest } from '../../src/redact/self-test.ts'
import { createStream, type RedactionStream } from '../../src/redact/stream.ts'

function streamOf(rules: readonly Rule[]): RedactionStream {
  const redact = createRedactor(rules, Buffer.alloc(32, 7))
  return createStream((stretch) => Promise.resolve(redact(stretch)))
}

test('catches everything with all rules', async () => {
  const { planted, caught, missed } = await selfTest(streamOf(RULES))
  expect(missed).toEqual([])
  expect(planted).toBeGreaterThanOrEqual(RULES.length)
  expect(caught).toBe(planted)
})

test('with no rule misses everything, each rule named once', async () => {
  const { planted, caught, missed } = await selfTest(streamOf([]))
  expect(missed).toEqual(RULES.map(({ id }) => id))
  expect(planted).toBeGreaterThan(RULES.length)
  expect(caught).toBe(0)
})

test.each(['age-secret-key', 'mysql-password', 'private-key'])('names %s when it is missing', async (id) => {
  const { planted, caught, missed } = await selfTest(streamOf(RULES.filter((rule) => rule.id !== id)))
  expect(missed).toEqual([id])
  expect(caught).toBeLessThan(planted)
})

test('what comes through a stream at its end, or on its way, is seen in both', async () => {
  for (const end of [true, false]) {
    const held: Uint8Array[] = []
    const lengths: number[] = []
    const leaking: Parameters<typeof selfTest>[0] = {
      // oxlint-disable-next-line typescript/require-await -- the contract is asynchronous
      async *push(chunk) {
        lengths.push(chunk.length)
        if (end) held.push(Uint8Array.from(chunk))
        else yield chunk
      },
      // oxlint-disable-next-line typescript/require-await -- the contract is asynchronous
      async *end() {
        yield* held
      },
    }
    expect((await selfTest(leaking)).caught).toBe(0)
    // In many pieces, as a source delivers it, and none of them as long as a line.
    expect(lengths.length).toBeGreaterThan(20)
    expect(Math.max(...lengths)).toBeLessThan(200)
  }
})

test('its secrets are new every time', async () => {
  const texts = await Promise.all(
    [0, 1].map(async () => {
      const chunks: Uint8Array[] = []
      const plain = streamOf([])
      await selfTest({
        push: (chunk) => (chunks.push(Uint8Array.from(chunk)), plain.push(chunk)),
        end: () => plain.end(),
      })
      return Buffer.concat(chunks).toString()
    }),
  )
  expect(texts[0]).not.toBe(texts[1])
})
