/** A stretch in parts comes out as the same stretch at once: bytes, counts and what the next stretch has to know. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { inParts } from '../../src/redact/parts.ts'
import { createRedactor } from '../../src/redact/redactor.ts'
import { RULES } from '../../src/redact/rules.ts'
import { createStream } from '../../src/redact/stream.ts'
import { random } from './mask-all.ts'

const redact = createRedactor(RULES, Buffer.alloc(32, 7))
const CANARIES = RULES.map(({ id, canary }) => {
  const { text, secrets } = canary(random)
  return { id, text, secrets }
})
const LOG = CANARIES.map(({ id, text }) => `the line before ${id}\n${text}\nthe line behind\n\n`).join('')

async function through(text: string, redactor: typeof redact, stretchBytes: number) {
  const stream = createStream(async (stretch) => redactor(stretch), {
    behindBytes: 1024,
    aheadBytes: 16 * 1024,
    stretchBytes,
  })
  const out: Uint8Array[] = []
  for await (const bytes of stream.push(Buffer.from(text))) out.push(Buffer.from(bytes))
  for await (const bytes of stream.end()) out.push(Buffer.from(bytes))
  return { text: Buffer.concat(out).toString(), hits: stream.hits }
}

test('secrets of every rule, whatever the length of a part, in one stretch and in several', async () => {
  const whole = await through(LOG, redact, 1 << 20)
  for (const { secrets } of CANARIES) for (const secret of secrets) expect(whole.text).not.toContain(secret)
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 50, max: 5000 }),
      fc.constantFrom(7000, 64 * 1024, 1 << 20),
      async (part, stretchBytes) => {
        const parted = inParts(redact, { behind: 1024, part, ahead: 16 * 1024 })
        expect(await through(LOG, parted, stretchBytes)).toEqual(whole)
      },
    ),
    { numRuns: 25 },
  )
})

test('a secret that is longer than a part, and than what can be looked ahead at', async () => {
  const text = `-----BEGIN PRIVATE KEY-----\n${`${'QUJD'.repeat(16)}\n`.repeat(1000)}-----END PRIVATE KEY-----\nafter\n`
  const parted = inParts(redact, { behind: 1024, part: 2000, ahead: 16 * 1024 })
  const out = await through(`before\n${text}`, parted, 20_000)
  expect(out.text).not.toContain('QUJD')
  expect(out).toEqual(await through(`before\n${text}`, redact, 1 << 20))
})

test('what holds no secret stays where it is', () => {
  const bytes = Buffer.from('nothing to be seen here\n'.repeat(20_000))
  const masked = inParts(redact)({ bytes, from: 24, to: bytes.length, final: true, carry: { sentTo: 24, pending: [] } })
  expect(masked.bytes.buffer).toBe(bytes.buffer)
  expect([masked.bytes.byteOffset - bytes.byteOffset, masked.bytes.length]).toEqual([24, bytes.length - 24])
})
