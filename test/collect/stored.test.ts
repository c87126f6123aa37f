import { expect, onTestFinished, test } from 'vitest'
import { createRedaction } from '../../src/collect/redaction.ts'
import { createRedactionService } from '../../src/redact/service.ts'

const SECRET = 'Tr0ub4dor-and-3'

/** A pipe for what was masked when it was stored, and what comes out of it. */
function storedPipe() {
  const service = createRedactionService()
  onTestFinished(() => service.close())
  const redaction = createRedaction(service, { key: Buffer.alloc(32, 1), live: [SECRET] })
  const out: Buffer[] = []
  const writer = {
    path: 'events/events.db',
    write: async (chunk: Buffer) => void out.push(Buffer.from(chunk)),
    end: async () => [],
    discard: () => {},
  }
  return { service, redaction, pipe: redaction.stored(writer), out: () => Buffer.concat(out) }
}

test('values wherever they stand become as many asterisks, whatever the size of the pieces', async () => {
  const content = Buffer.alloc(1_500_000, 'password=hunter2hunter2 ')
  const places = [0, 50, 262_144 - 7, 524_288 - 1, 540_672 - 3, 1_048_576, content.length - SECRET.length]
  // Columns of a row stand side by side, with nothing between.
  for (const at of places) content.write(`x${SECRET}x`.slice(at === 0 ? 1 : 0), Math.max(0, at - 1))
  const expected = Buffer.from(content.toString('latin1').replaceAll(SECRET, '*'.repeat(SECRET.length)), 'latin1')
  for (const size of [4096, 100_003, content.length]) {
    const { pipe, out } = storedPipe()
    for (let at = 0; at < content.length; at += size) await pipe.write(content.subarray(at, at + size))
    await pipe.flush()
    await pipe.end()
    expect(out().equals(expected)).toBe(true)
  }
})

test('where it cannot be masked any more zeros come, as many as were announced, and the end says so', async () => {
  const { service, pipe, out } = storedPipe()
  const piece = Buffer.alloc(600_000, `a line with ${SECRET} in it\n`)
  await pipe.write(piece)
  const { writtenBytes } = pipe
  await service.close()
  await pipe.write(piece)
  await pipe.write(piece)
  await expect(pipe.flush()).rejects.toMatchObject({
    outcome: 'partial',
    message: `zeros from byte ${writtenBytes} on: it could not be masked: the redaction has ended`,
  })
  await pipe.end()
  expect(out()).toHaveLength(3 * piece.length)
  expect(out().includes(SECRET)).toBe(false)
  expect(
    out()
      .subarray(writtenBytes)
      .every((byte) => byte === 0),
  ).toBe(true)
  expect(writtenBytes).toBeGreaterThan(0)
})

test('where nothing is trusted nothing comes', async () => {
  const { redaction, pipe, out } = storedPipe()
  redaction.distrust('the test of the mask failed')
  await expect(pipe.write(Buffer.from('x'))).rejects.toMatchObject({ outcome: 'withheld' })
  expect(out()).toHaveLength(0)
})
