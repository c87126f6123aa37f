/** What a stream counts, and what it says of its end. */
import { expect, test } from 'vitest'
import { createRedactor } from '../../src/redact/redactor.ts'
import { RULES } from '../../src/redact/rules.ts'
import { createStream, type MaskStretch, type RedactionStream, type StreamSizes } from '../../src/redact/stream.ts'

const redact = createRedactor(RULES, Buffer.alloc(32, 7))
const mask: MaskStretch = async (stretch) => redact(structuredClone(stretch))
const SMALL: StreamSizes = { behindBytes: 1024, aheadBytes: 16 * 1024, stretchBytes: 64 }

test('masks are counted through all stretches', async () => {
  const stream = createStream(mask, SMALL)
  const text = `password=k7Wq9zLp2XvR4tB8k7Wq9zLp2XvR4tB8\n${'a line of a log\n'.repeat(8)}`.repeat(5)
  expect(await lengthThrough(stream, Buffer.from(text))).toBeLessThan(text.length)
  expect(stream.hits).toEqual({ password: 5 })
})

test('what is left at the end is all there is, for each of its stretches', async () => {
  const finals: boolean[] = []
  const watching: MaskStretch = (stretch) => {
    finals.push(stretch.final)
    return mask(stretch)
  }
  const bytes = Buffer.alloc(SMALL.aheadBytes + 264, 'x')
  expect(await lengthThrough(createStream(watching, SMALL), bytes)).toBe(bytes.length)
  // As long as what could be looked ahead at is there, more may come.
  expect(finals.slice(0, 4)).toEqual([false, false, false, false])
  expect(finals.slice(4).every(Boolean)).toBe(true)
  expect(finals.length).toBe(Math.ceil(bytes.length / 64))
})

async function lengthThrough(stream: RedactionStream, bytes: Uint8Array): Promise<number> {
  let length = 0
  for await (const part of stream.push(bytes)) length += part.length
  for await (const part of stream.end()) length += part.length
  return length
}
