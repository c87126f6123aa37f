import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createRedactionService } from '../../../../src/redact/service.ts'
import type { Written } from '../../../helpers/fake-engine.ts'
import { engineWith, joined, numbered, storedLog } from './kit.ts'

/** A key as a program prints it, a line each. */
function keyLines(): string[] {
  const body = Array.from({ length: 24 }, () => randomBytes(48).toString('base64'))
  return [
    '-----BEGIN RSA PRIVATE KEY-----',
    ...body,
    randomBytes(20).toString('base64'),
    '-----END RSA PRIVATE KEY-----',
  ]
}

const written = (atMs: number, texts: readonly string[], stream: 1 | 2 = 1): Written[] =>
  texts.map((text, index) => ({ atMs: atMs + index, stream, text }))

/** Through the mask of a bundle, from its beginning to its end. */
async function masked(text: string): Promise<string> {
  const service = createRedactionService()
  try {
    const { bytes } = await service.open({ key: Buffer.alloc(32, 1), live: [] }).whole(Buffer.from(text))
    return bytes.toString()
  } finally {
    await service.close()
  }
}

function expectNothingOf(key: readonly string[], text: string): void {
  for (const line of key.slice(1, -1)) expect(text).not.toContain(line)
}

describe('a private key of many lines', () => {
  test('whose beginning is stored and whose end the engine alone has is not handed over', async () => {
    for (const [at, sealed] of [
      [10, true],
      [10, false],
      [1, false],
      [24, true],
    ] as const) {
      const key = keyLines()
      const log = [...numbered(0, 50), ...written(50, key), ...numbered(90, 50)]
      const stored = await storedLog()
      const begin = log.slice(0, 50 + at)
      const asStored = await masked(begin.map(({ text }) => `${text}\n`).join(''))
      const texts = asStored.split('\n')
      const mask = (text: string) =>
        text
          .split('\n')
          .map((line, index) => line.slice(0, 40) + (texts[index] ?? ''))
          .join('\n')
      stored.store(begin, (text) => mask(text).trimEnd() + '\n')
      if (sealed) stored.writer.seal()
      const { text } = await joined(stored, await engineWith(log))
      // What the bundle's mask does not know by itself any more.
      expectNothingOf(key, await masked(text.slice(text.indexOf('lines withheld here'))))
      expectNothingOf(key, text)
      expect(text).toContain('… diagd: ')
      expect(text).toContain('line 139 ')
      expect(text).toContain('-----END RSA PRIVATE KEY-----')
    }
  })

  test('whose beginning is not stored any more is known by its end', async () => {
    const key = keyLines()
    const log = [...numbered(0, 50), ...written(50, key.slice(8)), ...numbered(90, 50)]
    const stored = await storedLog()
    stored.store(log.slice(0, 50))
    const { text } = await joined(stored, await engineWith(log))
    const out = await masked(text)
    expectNothingOf(key, out)
    expect(out).toContain('line 139 ')
    expect(out).not.toContain('withheld')
  })

  test('of one stream takes no line of the other', async () => {
    const key = keyLines()
    const rest = written(70, key.slice(10)).flatMap((line) => [
      line,
      { ...line, stream: 2 as const, text: `beside ${line.atMs}` },
    ])
    const log = [...written(50, key.slice(0, 10)), ...rest, ...numbered(200, 20)]
    const stored = await storedLog()
    stored.store(log.slice(0, 10), (text) => text.replaceAll(/[A-Za-z0-9+/=]{40,}/g, '<masked:private-key:123456>'))
    const { lines } = await joined(stored, await engineWith(log))
    expect(lines.filter((line) => line.startsWith('beside '))).toHaveLength(rest.length / 2)
    expectNothingOf(key, lines.join('\n'))
  })

  test('that was torn, long ago or just now, takes no more than some lines with it', async () => {
    const key = keyLines()
    const log = [...written(0, key.slice(0, 5)), ...numbered(50, 500)]
    for (const count of [5, 100]) {
      const stored = await storedLog()
      stored.store(log.slice(0, count), (text) =>
        text.replaceAll(/[A-Za-z0-9+/=]{60,}/g, '<masked:private-key:123456>'),
      )
      const { lines } = await joined(stored, await engineWith(log))
      const numbers = lines.filter((line) => line.startsWith('line '))
      expect(numbers.length).toBe(count === 5 ? 492 : 500)
    }
  })

  test('that ends before the last stored line is over', async () => {
    const log = [...written(0, keyLines()), ...numbered(50, 500)]
    const stored = await storedLog()
    stored.store(log.slice(0, 60))
    const { lines } = await joined(stored, await engineWith(log))
    expect(lines.filter((line) => line.startsWith('line '))).toHaveLength(500)
    expect(lines.join('\n')).not.toContain('diagd')
  })

  test('that the engine has the beginning of, older than what is stored, does not go on in that', async () => {
    const key = keyLines()
    const log = [...numbered(0, 20), ...written(50, key), ...numbered(100, 5000)]
    const stored = await storedLog()
    stored.storeSealed(log.slice(30), 2000)
    const { text } = await joined(stored, await engineWith(log))
    expectNothingOf(key, await masked(text))
    expect(text).toContain('line 5099 ')
  })
})
