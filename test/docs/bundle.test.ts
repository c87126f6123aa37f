import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { SEGMENT_BYTES } from '../../src/archive/segments.ts'
import { ALWAYS_MS } from '../../src/collect/window.ts'
import { DEFAULT_LIMITS, formatLimits } from '../../src/config/limits.ts'
import { collector, makeBundle, type TestBundle } from '../helpers/make-bundle.ts'

const docs = await readFile(new URL('../../docs/bundle.md', import.meta.url), 'utf8')
const schema = await readFile(new URL('../../docs/schema/manifest.schema.json', import.meta.url), 'utf8')

let bundle: TestBundle

beforeAll(async () => {
  bundle = await makeBundle({
    odd: collector(function* ({ text, skipped, withheld, file, files, logs }) {
      yield text('good.txt', () => 'good\n')
      yield skipped('absent.txt', 'it is not installed')
      yield withheld('secret.txt', 'it is a secret')
      yield file('/nonexistent/diagd')
      yield files('/nonexistent/*')
      yield logs('/etc/os-release')
      yield text('a\nb%c.txt', () => '')
      yield text('..', () => '')
    }),
    broken: collector(() => {
      throw new Error('broken')
    }),
  })
})

/** The first cells of the rows of the table under a heading. */
function cells(heading: string): string[] {
  const section = docs.split(`${heading}\n`)[1]!.split(/\n#{2,3} /)[0]!
  return [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
  )
}

test('the limits and their defaults are those of the code', () => {
  const rows = [...docs.matchAll(/^\| `([a-z]+)` \| (\S+) \| [^|]+ \| [^|]+ \|$/gm)]
  expect(rows.map(([, name, value]) => `${name}=${value}`).join(',')).toBe(formatLimits(DEFAULT_LIMITS))
})

test('the spans that are always wanted are those of the code', () => {
  const minutes = [...docs.matchAll(/the (?:first|last) (\d+) minutes of/g)].map(([, number]) => Number(number))
  expect(minutes).toEqual([ALWAYS_MS / 60_000, ALWAYS_MS / 60_000])
})

test('pieces of the stream are as long as in the code', async () => {
  const decision = new URL('../../docs/decisions/0001-segments-and-full-flush.md', import.meta.url)
  const text = docs + (await readFile(decision, 'utf8'))
  const lengths = [...text.matchAll(/of up to (\d+) (KiB|MiB)/g)].map(
    ([, number, unit]) => Number(number) * (unit === 'MiB' ? 1024 ** 2 : 1024),
  )
  expect(lengths).toEqual([SEGMENT_BYTES, SEGMENT_BYTES, SEGMENT_BYTES])
})

test('every outcome of the schema is explained, and no other', () => {
  const outcomes = (JSON.parse(schema) as Schema).properties.rows.items.properties.outcome.enum
  expect(cells('### Outcomes').toSorted()).toEqual(outcomes.toSorted())
})

test('every field that a row may have is explained, and no other', () => {
  const fields = Object.keys((JSON.parse(schema) as Schema).properties.rows.items.properties)
  expect(cells('## manifest.json').toSorted()).toEqual(fields.toSorted())
})

test('every key of index.json is explained, and no other', () => {
  const index = JSON.parse(bundle.text('index.json')) as object
  expect(cells('## index.json').toSorted()).toEqual(Object.keys(index).toSorted())
})

test('the first two and the last three entries are those that the tree shows', () => {
  const tree = [...docs.split('## Tree')[1]!.matchAll(/^ {6}([\w.]+) {2,}/gm)].map(([, name]) => name)
  const files = [...bundle.manifest.files.map(({ path }) => path), 'manifest.json']
  expect([...files.slice(0, 2), ...files.slice(-3)]).toEqual(tree)
})

test('what simply does not exist is a row only; everything else that is not ok has its .error.txt', () => {
  const explained = Object.fromEntries(bundle.manifest.rows.map(({ path, error }) => [path, error !== undefined]))
  expect(explained).toMatchObject({
    'odd/good.txt': false,
    'odd/absent.txt': true,
    'odd/secret.txt': true,
    'odd/diagd': false,
    'odd/nonexistent_+': false,
    'broken/collector': true,
  })
  expect(bundle.row('odd/diagd').detail).toBe('/nonexistent/diagd does not exist')
})

test('markers of what is over the limit, outside the window, or stalled are worded as the page shows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-docs-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const lines = (sinceMs: number) =>
    Array.from({ length: 4000 }, (_, index) => `${new Date(sinceMs + index * 1000).toISOString()} a line\n`).join('')
  await writeFile(join(folder, 'long.log'), lines(Date.now() - 3_600_000))
  await writeFile(join(folder, 'old.log'), lines(Date.now() - 30 * 86_400_000) + lines(Date.now() - 3_600_000))
  const { text } = await makeBundle(
    {
      cut: collector(function* ({ logs, command }) {
        yield logs(`${folder}/*.log`)
        yield command`sh -c ${'echo begun; exec sleep 60'}`.as('stalled.txt')
      }),
    },
    { parameters: { limits: 'entry=60kB,stall=300ms' } },
  )
  const shown = markersIn(docs.replaceAll(/^ {4}/gm, ''))
  const real = ['long.log', 'old.log', 'stalled.txt'].flatMap((name) => markersIn(text(`cut/${name}`)))
  expect(new Set(real).size).toBe(3)
  for (const marker of real) expect(shown).toContain(marker)
})

test('names are encoded as the page says, and one that leads out is refused', () => {
  expect(docs).toContain('`a⏎b%c` is `a%0Ab%25c`')
  expect(bundle.row('odd/a%0Ab%25c.txt').outcome).toBe('ok')
  expect(bundle.row('odd/..')).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('".." component') as string,
  })
})

/** Numbers apart. */
function markersIn(text: string): string[] {
  return [...text.matchAll(/^… diagd: .* …$/gm)].map(([marker]) => marker.replaceAll(/\d+(?:\.\d+)?/g, 'N'))
}

interface Schema {
  properties: { rows: { items: { properties: Record<string, object> & { outcome: { enum: string[] } } } } }
}
