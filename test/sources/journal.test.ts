import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Interval, JournalQuery } from '../../src/collector.ts'
import { journalAccess } from '../../src/sources/journal-access.ts'
import { openJournal } from '../../src/sources/journal.ts'
import type { SourceLimits } from '../../src/sources/source.ts'
import { commandContext, fakeCommand, readAll, temporaryFolder } from '../helpers/commands.ts'
import { bootIdOf, canMakeJournals, type JournalEntry, makeJournal } from '../helpers/journal.ts'

const START = Date.parse('2026-01-02T03:00:00.000Z')
const SECOND = 1000
const span = (fromSeconds: number, toSeconds: number): Interval => ({
  sinceMs: START + fromSeconds * SECOND,
  untilMs: START + toSeconds * SECOND,
  reason: 'window',
})
const ALL = span(-1e6, 1e6)

/** One entry a second, numbered. */
const entries = (count: number, more: Partial<JournalEntry> = {}, from = 0): JournalEntry[] =>
  Array.from({ length: count }, (_, index) => ({
    timeMs: START + (from + index) * SECOND,
    message: `entry ${from + index} ${'x'.repeat(60)}`,
    ...more,
  }))

async function journal(
  root: string,
  query: JournalQuery = {},
  options: { spans?: readonly Interval[]; limits?: Partial<SourceLimits>; path?: string } = {},
) {
  const { spans = [ALL], limits = {}, path } = options
  const context = commandContext(limits, { root, intervals: async () => spans, ...(path ? { path } : {}) })
  const { text, end } = await readAll(await openJournal(query, context))
  const numbers = [...text.matchAll(/ entry (\d+) /g)].map((match) => Number(match[1]))
  return { text, end, numbers }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

describe.skipIf(!canMakeJournals)('a journal (files made by the package systemd-journal-remote)', () => {
  test('comes in UTC with microseconds, whole when it fits', async () => {
    const root = temporaryFolder()
    makeJournal(root, entries(100))
    const { text, numbers, end } = await journal(root)
    expect(text).toMatch(/^2026-01-02T03:00:00\.000000\+0000 vm app: entry 0 x+\n/)
    expect(numbers).toEqual(range(0, 100))
    expect(end).toEqual({ outcome: 'ok' })
  })

  test('comes from the wanted spans only, and says what lies between them', async () => {
    const root = temporaryFolder()
    makeJournal(root, entries(100))
    const { text, numbers } = await journal(root, {}, { spans: [span(-50, -10), span(10, 12), span(90, 200)] })
    expect(numbers).toEqual([10, 11, 12, ...range(90, 100)])
    const line =
      '… diagd: entries between 2026-01-02T03:00:12.000Z and 2026-01-02T03:01:30.000Z are outside the window …'
    expect(text.split('\n').filter((row) => row.includes('diagd:'))).toEqual([line])
  })

  test('comes of one boot or unit when asked for that', async () => {
    const root = temporaryFolder()
    const second = entries(5, { bootId: bootIdOf('b'), unit: 'other.service' }, 10)
    makeJournal(root, [...entries(5, { bootId: bootIdOf('a') }), ...second])
    expect((await journal(root, { boot: '-1' })).numbers).toEqual(range(0, 5))
    expect((await journal(root, { boot: bootIdOf('b') })).numbers).toEqual(range(10, 15))
    expect((await journal(root, { unit: 'other.service' })).numbers).toEqual(range(10, 15))
    expect((await journal(root, { boot: '-7' })).end).toMatchObject({ outcome: 'skipped' })
  })

  test('over its limit keeps its beginning and its newest entries, none from before the span', async () => {
    const root = temporaryFolder()
    makeJournal(root, entries(5000))
    const limits = { entryBytes: 50_000, headBytes: 5000 }
    const { text, numbers, end } = await journal(root, {}, { limits, spans: [span(1000, 1e6)] })
    const hole = numbers.findIndex((number, index) => number !== 1000 + index)
    expect(hole).toBeGreaterThan(10)
    expect(numbers.slice(hole)).toEqual(range(5000 - numbers.length + hole, 5000))
    expect(text.length).toBeLessThanOrEqual(50_000)
    expect(text.length).toBeGreaterThan(35_000)
    expect(end).toMatchObject({ outcome: 'partial', detail: expect.stringContaining('over the limit of 50000 bytes') })
  })

  test('longer than its head and within its limit is whole, from the start of the span', async () => {
    const root = temporaryFolder()
    makeJournal(root, entries(3000))
    const limits = { entryBytes: 10_000_000, headBytes: 5000 }
    const { numbers, end } = await journal(root, {}, { limits, spans: [span(2000, 1e6)] })
    expect(numbers).toEqual(range(2000, 3000))
    expect(end).toEqual({ outcome: 'ok' })
  })

  test('gives the newest lines alone when asked for that, whatever the window', async () => {
    const root = temporaryFolder()
    makeJournal(root, entries(50))
    expect((await journal(root, { lastLines: 3 }, { spans: [span(0, 1)] })).numbers).toEqual([47, 48, 49])
  })

  test('that holds nothing for a pattern is ok and empty', async () => {
    const root = temporaryFolder()
    makeJournal(root, entries(5))
    expect(await journal(root, { args: ['--grep=no such words'] })).toMatchObject({ text: '', end: { outcome: 'ok' } })
  })

  test('with a damaged file gives what the others hold, and names the file', async () => {
    const root = temporaryFolder()
    makeJournal(root, entries(20))
    const damaged = makeJournal(root, entries(20, {}, 100), 'system@old')
    writeFileSync(damaged, readFileSync(damaged).subarray(0, 4096))
    const { numbers, end } = await journal(root)
    expect(numbers).toEqual(range(0, 20))
    expect(end).toMatchObject({
      outcome: 'partial',
      detail: expect.stringMatching(/^damaged journal file: .*system@old/),
    })
  })
})

describe('without a journal to read', () => {
  test('no folder or an empty one is skipped', async () => {
    const root = temporaryFolder()
    const refusal = { outcome: 'skipped', message: expect.stringContaining('no journal file under /run/log/journal') }
    await expect(journal(root)).rejects.toMatchObject(refusal)
    mkdirSync(join(root, 'var/log/journal', 'd'.repeat(32)), { recursive: true })
    await expect(journal(root)).rejects.toMatchObject(refusal)
  })

  test('journal files and no journalctl is skipped', async () => {
    const root = pretendedJournal()
    await expect(journal(root, {}, { path: temporaryFolder() })).rejects.toMatchObject({
      outcome: 'skipped',
      message: 'command not found: journalctl',
    })
  })

  test.skipIf(process.geteuid?.() !== 0)(
    'files that only others may read are skipped, with the group to join',
    async () => {
      const root = pretendedJournal()
      chmodSync(root, 0o755)
      const refused = 'the journal needs root or membership of the group systemd-journal'
      expect(await asNobody(() => journalAccess(root))).toEqual({ refused })
      writeFileSync(join(root, 'var/log/journal', 'd'.repeat(32), 'user-1000.journal'), '', { mode: 0o644 })
      expect(await asNobody(() => journalAccess(root))).toMatchObject({
        lacking: expect.stringContaining('only the journal files'),
      })
      expect(await journalAccess(root)).toEqual({})
    },
  )

  test.skipIf(process.geteuid?.() !== 0)('a part of it without a single entry is skipped, not a part', async () => {
    const root = pretendedJournal()
    chmodSync(root, 0o755)
    writeFileSync(join(root, 'var/log/journal', 'd'.repeat(32), 'user-1000.journal'), '', { mode: 0o644 })
    const outcomeOf = (script: string) => {
      const path = fakeCommand('journalctl', script)
      chmodSync(path.split(':')[0]!, 0o755)
      return asNobody(async () => (await journal(root, { lastLines: 5 }, { path })).end)
    }
    const detail = expect.stringContaining('only the journal files')
    expect(await outcomeOf('')).toMatchObject({ outcome: 'skipped', detail })
    expect(await outcomeOf('echo an entry')).toMatchObject({ outcome: 'partial', detail })
  })

  test('journalctl is asked for nothing that writes, verifies or follows', async () => {
    const path = fakeCommand('journalctl', 'echo "$@"')
    const { text } = await journal(pretendedJournal(), { unit: 'a b.service' }, { path, spans: [span(0, 1)] })
    expect(text).toMatch(
      /^--no-pager --quiet --utc --output=short-iso-precise --root=\S+ --unit=a b\.service --since=@1767322800\.000 --until=@1767322801\.000\n$/,
    )
  })
})

/** A file where a journal file would be, readable by root only. */
function pretendedJournal(): string {
  const root = temporaryFolder()
  const folder = join(root, 'var/log/journal', 'd'.repeat(32))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'system.journal'), '', { mode: 0o600 })
  return root
}

async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  process.seteuid?.(65_534)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}
