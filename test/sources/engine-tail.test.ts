import { describe, expect, test } from 'vitest'
import { headAndNewest, type Again, type Lines } from '../../src/sources/engine-tail.ts'
import { SourceError, type SourceEnd } from '../../src/sources/source.ts'
import { drained } from '../helpers/source.ts'

/** A log that can be asked for from its start or for its last lines, and counts how often it was. */
function log(lines: readonly string[], end: SourceEnd = { outcome: 'ok' }, newerOutside = 0) {
  const asked: (number | undefined)[] = []
  let open = 0
  async function* stream(wanted: readonly string[]): Lines {
    open += 1
    try {
      for (let i = 0; i < wanted.length; i += 100) yield Buffer.from(wanted.slice(i, i + 100).join(''))
      return end
    } finally {
      open -= 1
    }
  }
  const again: Again = async (lastLines) => {
    asked.push(lastLines)
    if (lastLines === undefined) return stream(lines)
    const inside = Math.max(0, lastLines - newerOutside)
    return stream(inside === 0 ? [] : lines.slice(-inside))
  }
  return { first: stream(lines), again, asked, open: () => open }
}

const numbered = (count: number, length = 100) =>
  Array.from({ length: count }, (_, i) => `${i}`.padEnd(length - 1, '.') + '\n')

const kept = (source: ReturnType<typeof log>, entryBytes: number, headBytes = 1000) =>
  drained({ chunks: headAndNewest(source.first, source.again, { entryBytes, headBytes }) })

describe('a log within the limit', () => {
  test('is handed over as it is, read once', async () => {
    const source = log(numbered(500))
    expect(await kept(source, 50_000)).toMatchObject({ text: numbered(500).join(''), end: { outcome: 'ok' } })
    expect(source.asked).toEqual([])
  })

  test('is whole also when it is too long to be held in memory', async () => {
    const source = log(numbered(20_000))
    expect(await kept(source, 2_000_000)).toMatchObject({ text: numbered(20_000).join(''), end: { outcome: 'ok' } })
    expect(source.asked).toEqual([undefined])
  })

  test('keeps how it ended', async () => {
    const end = { outcome: 'partial', detail: 'closed' } as const
    expect((await kept(log(numbered(10), end), 50_000)).end).toEqual(end)
    expect((await kept(log(numbered(20_000), end), 2_000_000)).end).toEqual(end)
  })

  test('is read once without a limit', async () => {
    const source = log(numbered(20_000))
    expect((await kept(source, Infinity)).text).toBe(numbered(20_000).join(''))
    expect(source.asked).toEqual([])
  })
})

describe('a log over the limit', () => {
  test('keeps its beginning and its newest lines, with a marker where the hole is', async () => {
    const lines = numbered(2000)
    const { bytes, text, end } = await kept(log(lines), 50_000)
    const [head, tail] = text.split(/… diagd: lines left out here \(over the limit of 50000 bytes per entry\) …\n/)
    expect(head).toBe(lines.slice(0, 10).join(''))
    expect(lines.join('').endsWith(tail!)).toBe(true)
    expect(tail!.length % 100).toBe(0)
    expect(bytes.length).toBeLessThanOrEqual(50_000)
    expect(bytes.length).toBeGreaterThan(49_700)
    expect(end).toMatchObject({ outcome: 'partial', detail: expect.stringContaining('left out') as string })
  })

  test('keeps its newest lines however much longer or shorter than the first they are', async () => {
    for (const [first, last] of [
      [20, 2000],
      [2000, 20],
    ]) {
      const lines = [...numbered(1000, first), ...numbered(1000, last)]
      const { bytes, text } = await kept(log(lines), 100_000)
      expect(text.endsWith(lines.at(-1)!)).toBe(true)
      expect(bytes.length).toBeGreaterThan(97_000)
      expect(bytes.length).toBeLessThanOrEqual(100_000)
    }
  })

  test('is found behind newer lines that are outside the window', async () => {
    const lines = numbered(2000)
    const source = log(lines, { outcome: 'ok' }, 50_000)
    const { text, bytes } = await kept(source, 50_000)
    expect(text.endsWith(lines.at(-1)!)).toBe(true)
    expect(bytes.length).toBeGreaterThan(49_700)
    // It feels its way: reading far more than needed would take the engine long.
    expect(Math.max(...source.asked.map((lastLines) => lastLines ?? 0))).toBeLessThan(4 * 60_000)
  })

  test('keeps what it has when the newest lines cannot be read', async () => {
    const source = log(numbered(2000))
    const chunks = headAndNewest(source.first, () => Promise.reject(new SourceError('failed', 'engine is gone')), {
      entryBytes: 50_000,
      headBytes: 1000,
    })
    const { text, end } = await drained({ chunks })
    expect(text.startsWith(numbered(10).join(''))).toBe(true)
    expect(end).toMatchObject({ outcome: 'partial', detail: expect.stringContaining('engine is gone') as string })
  })

  test('leaves nothing open, also when its reader leaves early', async () => {
    const source = log(numbered(2000))
    await kept(source, 50_000)
    expect(source.open()).toBe(0)
    const left = log(numbered(2000))
    const chunks = headAndNewest(left.first, left.again, { entryBytes: 50_000, headBytes: 1000 })
    await chunks.next()
    await chunks.next()
    await chunks.return({ outcome: 'ok' })
    expect(left.open()).toBe(0)
  })
})
