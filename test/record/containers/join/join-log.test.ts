import { readFileSync, readdirSync, rmSync, truncateSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listLogFiles, scanLogFile } from '../../../../src/record/containers/keep/log-files.ts'
import { peer } from '../../../helpers/source.ts'
import { engineWith, joined, numbered, storedLog, textsOf } from './kit.ts'

describe('what the engine has that is newer', () => {
  test('nothing, where the tail is up to date: what is stored comes as it is', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 3000), 1000)
    const result = await joined(stored, await engineWith(numbered(0, 3000)))
    expect(result.lines).toEqual(textsOf(numbered(0, 3000)))
    expect(result).toMatchObject({ segments: 3, end: { outcome: 'ok' } })
  })

  test('comes behind what is stored, each line once', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 2000), 1000)
    stored.store(numbered(2000, 10))
    const all = numbered(0, 9000)
    const result = await joined(stored, await engineWith(all))
    expect(result.lines).toEqual(textsOf(all))
    expect(result).toMatchObject({ segments: 2, end: { outcome: 'ok' } })
  })

  test('is told from what is stored though lines and times are identical, and streams go back against each other', async () => {
    const same = (count: number, atMs: number) =>
      Array.from({ length: count }, () => ({ atMs, stream: 1 as const, text: 'again' }))
    const before = [...numbered(0, 5), ...same(3, 10)]
    const after = [...same(4, 10), { atMs: 8, stream: 2 as const, text: 'late on stderr' }, ...same(2, 11)]
    const stored = await storedLog()
    stored.store(before)
    const result = await joined(stored, await engineWith([...before, ...after]))
    expect(result.lines).toEqual(textsOf([...before, ...after]))
    expect(result.end.outcome).toBe('ok')
  })

  test('is told from a flood of which only the newest is remembered', async () => {
    const flood = Array.from({ length: 50_000 }, (_, index) => ({
      atMs: Math.floor(index / 50),
      stream: 1 as const,
      text: `line ${index}`,
    }))
    const stored = await storedLog()
    for (let at = 0; at < 45_000; at += 5000) stored.storeSealed(flood.slice(at, at + 5000), 5000)
    const result = await joined(stored, await engineWith(flood))
    expect(result.lines.length).toBe(50_000)
    expect(result.lines).toEqual(textsOf(flood))
  })

  test('is told by time where the place of the log is lost, and lines of the last moment are not doubled', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 2000), 1000)
    stored.writer.close()
    for (const name of readdirSync(stored.folder)) if (name.startsWith('tail')) rmSync(`${stored.folder}/${name}`)
    const known = { lines: 2000, ambiguous: 0, diskBytes: 0, dropped: { flood: 0, cap: 0, withheld: 0 } }
    const last = '2026-06-15T12:00:01.999000000Z'
    const result = await joined(stored, await engineWith(numbered(0, 3000)), { container: { log: { ...known, last } } })
    expect(result.lines).toEqual(textsOf(numbered(0, 3000)))
  })
})

describe('what the engine has that is older', () => {
  test('comes before what is stored: a container that is older than diagd', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(4000, 2000), 1000)
    const result = await joined(stored, await engineWith(numbered(0, 6000)))
    expect(result.lines).toEqual(textsOf(numbered(0, 6000)))
    expect(result.segments).toBe(2)
  })

  test('is told from what is stored among lines of one moment by those that follow', async () => {
    const moment = (texts: string[]) => texts.map((text) => ({ atMs: 50, stream: 1 as const, text }))
    const older = [...numbered(0, 5), ...moment(['a', 'b', 'a'])]
    const newer = [...moment(['a', 'c', 'a', 'b']), ...numbered(60, 5000)]
    const stored = await storedLog()
    stored.store(newer)
    const result = await joined(stored, await engineWith([...older, ...newer]))
    expect(result.lines).toEqual(textsOf([...older, ...newer]))
  })

  test('and cannot be told from what is stored: it is said, and nothing is doubled', async () => {
    const same = Array.from({ length: 100 }, () => ({ atMs: 50, stream: 1 as const, text: 'again' }))
    const stored = await storedLog()
    stored.store(same.slice(0, 80))
    const result = await joined(stored, await engineWith([...numbered(0, 5), ...same]))
    expect(result.lines.filter((line) => line === 'again')).toHaveLength(100)
    const said = /^… diagd: up to \d+ lines of the engine are like those that follow, and were taken for them …$/
    expect(result.lines).toContainEqual(expect.stringMatching(said))
  })

  test('takes the place of what went for want of room, and the rest stays counted', async () => {
    const stored = await storedLog('web', { maxBytes: 256 * 1024 })
    let count = 0
    const { folder, writer } = stored
    for (; writer.facts().dropped.cap === 0; count += 5000) stored.storeSealed(numbered(count, 5000), 2500)
    const { cap } = writer.facts().dropped
    expect(listLogFiles(folder).length).toBeGreaterThan(1)
    const whole = await joined(stored, await engineWith(numbered(0, count)))
    expect(whole.lines).toEqual(textsOf(numbered(0, count)))
    const some = await joined(stored, await engineWith(numbered(cap - 100, count - cap + 100)))
    const said = `… ${cap - 100} lines dropped (cap) before those above, which the engine still had …`
    expect(some.lines).toEqual([...textsOf(numbered(cap - 100, 100)), said, ...textsOf(numbered(cap, count - cap))])
    const none = await joined(stored, undefined)
    expect(none.lines[0]).toMatch(new RegExp(`^… ${cap} lines dropped \\(cap\\) before 2026-`))
    expect(none.lines.slice(1)).toEqual(textsOf(numbered(cap, count - cap)))
  })

  test('is found by time and stream where words were masked', async () => {
    const stored = await storedLog()
    const secret = { atMs: 5, stream: 1 as const, text: 'password hunter2' }
    stored.store([secret, ...numbered(6, 5)], (text) => text.replace('hunter2', '<masked:password:123456>'))
    const result = await joined(stored, await engineWith([...numbered(0, 5), secret, ...numbered(6, 5)]))
    expect(result.lines).toEqual([
      ...textsOf(numbered(0, 5)),
      'password <masked:password:123456>',
      ...textsOf(numbered(6, 5)),
    ])
  })
})

describe('the window', () => {
  test('cuts at lines: segments that lie in it as they are, those at its edges by their lines', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(1000, 5000), 1000)
    const engine = await engineWith(numbered(0, 8000))
    const { lines, segments } = await joined(stored, engine, { window: [1500, 4499] })
    expect(lines).toEqual(textsOf(numbered(1500, 3000)))
    expect(segments).toBe(2)
    expect((await joined(stored, engine, { window: [500, 1999] })).lines).toEqual(textsOf(numbered(500, 1500)))
    expect((await joined(stored, engine, { window: [5500, 6999] })).lines).toEqual(textsOf(numbered(5500, 1500)))
  })

  test('before all that is stored, or behind it: what the engine has of it', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(10_000, 1000), 1000)
    const engine = await engineWith(numbered(0, 20_000))
    expect((await joined(stored, engine, { window: [100, 199] })).lines).toEqual(textsOf(numbered(100, 100)))
    expect((await joined(stored, engine, { window: [15_000, 15_099] })).lines).toEqual(textsOf(numbered(15_000, 100)))
    const alone = joined(stored, undefined, { window: [15_000, 15_099] })
    await expect(alone).rejects.toMatchObject({ outcome: 'skipped', quiet: true })
  })
})

describe('a limit', () => {
  test('keeps the first lines and the newest, and says how much is missing', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 20_000), 1000)
    stored.store(numbered(20_000, 100))
    const limits = { entryBytes: 300_000, headBytes: 10_000 }
    const { text, lines, end, segments } = await joined(stored, await engineWith(numbered(0, 20_200)), { limits })
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(300_000)
    expect(Buffer.byteLength(text)).toBeGreaterThan(200_000)
    const all = textsOf(numbered(0, 20_200))
    const hole = lines.findIndex((line) => line.startsWith('… diagd: '))
    expect(lines.slice(0, hole - 1)).toEqual(all.slice(0, hole - 1))
    const rest = lines.slice(hole + 1)
    expect(rest).toEqual(all.slice(-rest.length))
    expect(end).toMatchObject({ outcome: 'partial', cutBytes: expect.any(Number) as number })
    expect(segments).toBeGreaterThan(2)
  })

  test('gives what is older the room that is left', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(20_000, 1000), 1000)
    const limits = { entryBytes: 300_000, headBytes: 10_000 }
    const { text, lines, end } = await joined(stored, await engineWith(numbered(0, 21_000)), { limits })
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(300_000)
    expect(lines[0]).toBe(textsOf(numbered(0, 1))[0])
    const rest = lines.slice(lines.findIndex((line) => line.startsWith('… diagd: ')) + 1)
    expect(rest.length).toBeGreaterThan(2000)
    expect(rest).toEqual(textsOf(numbered(21_000 - rest.length, rest.length)))
    expect(end.outcome).toBe('partial')
  })

  test('leaves the newest of what is newer when that alone is too long', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 1000), 1000)
    const limits = { entryBytes: 100_000, headBytes: 5000 }
    const { text, lines } = await joined(stored, await engineWith(numbered(0, 30_000)), { limits })
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(100_000)
    expect(lines.at(-1)).toBe(textsOf(numbered(29_999, 1))[0])
  })
})

describe('without an engine', () => {
  test('the stored log of a removed container is all there is, and complete', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 100), 50)
    const container = { state: 'removed', logComplete: true } as const
    expect(await joined(stored, undefined, { container })).toMatchObject({ end: { outcome: 'ok' }, segments: 2 })
    const missed = await joined(stored, undefined, { container: { state: 'removed', logComplete: false } })
    expect(missed.end).toMatchObject({
      outcome: 'partial',
      detail: expect.stringContaining('its container was removed before all of it was read') as string,
    })
    expect((await joined(stored, undefined)).end.detail).toMatch(/^what came after 2026-06-15T12:00:00.099/)
  })

  test('an engine that is gone costs what it alone had', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 100), 50)
    const gone = { socket: '/nonexistent/docker.sock', kind: 'docker' }
    const result = await joined(stored, gone)
    expect(result.lines).toEqual(textsOf(numbered(0, 100)))
    expect(result.end).toMatchObject({
      outcome: 'partial',
      detail: expect.stringContaining('does not exist') as string,
    })
    const over = { state: 'exited', logComplete: true } as const
    expect((await joined(stored, gone, { container: over })).end.outcome).toBe('ok')
  })

  test('one that hangs is waited for once, and its part is missing', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 100), 50)
    let connections = 0
    const { path } = await peer(join(stored.stateDir, 'hung.sock'), () => (connections += 1))
    const hung = { socket: path, kind: 'docker' }
    const result = await joined(stored, hung, { limits: { stallMs: 100 } })
    expect(result.lines).toEqual(textsOf(numbered(0, 100)))
    expect(result.end).toMatchObject({
      outcome: 'partial',
      detail: expect.stringMatching(/may be missing: .*hung.sock/) as string,
    })
    expect(connections).toBe(1)
  })

  test('one that is gone is missed, too, where nothing older is wanted of it', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 100), 50)
    const gone = { socket: '/nonexistent/docker.sock', kind: 'docker' }
    const { end } = await joined(stored, gone, { window: [50, 1000] })
    expect(end.outcome).toBe('partial')
  })

  test('a container of which nothing is stored is skipped with the reason', async () => {
    const stored = await storedLog()
    const container = { logProblem: 'the engine cannot hand out this log' }
    await expect(joined(stored, undefined, { container })).rejects.toMatchObject({
      outcome: 'skipped',
      message: container.logProblem,
    })
  })
})

describe('damage', () => {
  test('of a segment is found before it is handed over, and costs that segment', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 3000), 1000)
    const [file] = listLogFiles(stored.folder)
    const [, second] = scanLogFile(file!.path).segments
    const bytes = readFileSync(file!.path)
    bytes[second!.at + second!.deflateAt + 500]! ^= 1
    writeFileSync(file!.path, bytes)
    const { lines, end, segments } = await joined(stored, undefined)
    expect(lines).toEqual([
      ...textsOf(numbered(0, 1000)),
      '… diagd: 1000 lines cannot be read (segment 1 is damaged) …',
      ...textsOf(numbered(2000, 1000)),
    ])
    expect(end).toMatchObject({ outcome: 'partial', detail: expect.stringContaining('damaged') as string })
    expect(segments).toBe(2)
  })

  test('a tail that was torn by a power cut is read up to there; the engine has the rest', async () => {
    const stored = await storedLog()
    stored.storeSealed(numbered(0, 1000), 1000)
    stored.store(numbered(1000, 10))
    stored.store(numbered(1010, 10))
    stored.writer.close()
    const torn = `${stored.folder}/tail-1`
    truncateSync(torn, statSync(torn).size - 20)
    const result = await joined(stored, await engineWith(numbered(0, 1030)))
    expect(result.lines).toEqual(textsOf(numbered(0, 1030)))
  })
})
