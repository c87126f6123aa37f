/** A collector that misbehaves costs what it was about to say, never the bundle. */
import { mkdirSync, writeFileSync, chmodSync, chownSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadRegistry } from '../../src/collect/registry.ts'
import type { Collector } from '../../src/collector.ts'
import { temporaryFolder } from '../helpers/archive.ts'
import { collector, makeBundle } from '../helpers/make-bundle.ts'

const healthy = collector(function* ({ text }) {
  yield text('fine.txt', () => 'all is well\n')
})

async function withFault(broken: Collector, limits?: string) {
  const bundle = await makeBundle({ broken, healthy }, limits === undefined ? {} : { parameters: { limits } })
  // Whatever happens to the one, the other is complete and the archive ends as it should.
  expect(bundle.text('healthy/fine.txt')).toBe('all is well\n')
  expect(bundle.manifest.complete).toBe(true)
  return bundle
}

describe('a collector that', () => {
  test('throws in its first step is named with its error', async () => {
    const bundle = await withFault(
      collector(() => {
        throw new Error('no such luck')
      }),
    )
    expect(bundle.row('broken/collector')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('no such luck'),
    })
    expect(bundle.text('broken/collector.error.txt')).toContain('no such luck')
    expect(bundle.result.outcome).toBe('partial')
  })

  test('throws half-way keeps what it had described', async () => {
    const bundle = await withFault(
      collector(async function* ({ text }) {
        yield text('first.txt', () => 'first')
        throw new Error('half-way')
      }),
    )
    expect(bundle.text('broken/first.txt')).toBe('first')
    expect(bundle.text('broken/collector.error.txt')).toContain('half-way')
  })

  test('never returns is given up', async () => {
    const bundle = await withFault(
      collector(async function* ({ text }) {
        yield text('first.txt', () => 'first')
        await new Promise(() => {})
      }),
      'command=200ms',
    )
    expect(bundle.row('broken/collector').outcome).toBe('timeout')
    expect(bundle.text('broken/first.txt')).toBe('first')
  })

  test('yields entries without end is cut at the limit, and says so', async () => {
    const bundle = await withFault(
      collector(function* ({ text }) {
        for (let number = 0; number < 100_000; number++) yield text(`${number}.txt`, () => `${number}`)
      }),
    )
    expect(bundle.row('broken/collector')).toMatchObject({
      outcome: 'partial',
      detail: expect.stringContaining('4096'),
    })
    expect(bundle.manifest.rows.filter(({ path }) => /^broken\/\d+\.txt$/.test(path))).toHaveLength(4096)
  })

  test('yields what is no artifact is told what is', async () => {
    const bundle = await withFault(collector(() => [{ path: 'x' }] as never))
    expect(bundle.row('broken/collector').detail).toContain('what its kit made')
  })

  test('computes a value that throws, or hangs, loses that entry alone', async () => {
    const bundle = await withFault(
      collector(function* ({ json }) {
        yield json('throws.json', () => {
          throw new Error('not today')
        })
        yield json('hangs.json', () => new Promise(() => {}))
        yield json('works.json', () => ({ works: true }))
      }),
      'command=200ms',
    )
    expect(bundle.row('broken/throws.json')).toMatchObject({ outcome: 'failed', detail: 'not today' })
    expect(bundle.row('broken/hangs.json').outcome).toBe('timeout')
    expect(JSON.parse(bundle.text('broken/works.json'))).toEqual({ works: true })
  })

  test.each(['../../etc/cron.d/evil', '/etc/passwd', 'a/../../b'])(
    'names its entry %s is refused that path',
    async (path) => {
      const bundle = await withFault(
        collector(function* ({ text }) {
          yield text(path, () => 'evil')
          yield text('good.txt', () => 'good')
        }),
      )
      expect([...bundle.files.keys()].filter((name) => name.includes('evil') || name.includes('passwd'))).toEqual([])
      expect(bundle.manifest.rows.find(({ outcome }) => outcome === 'failed')?.detail).toMatch(/absolute|"\.\."/)
      expect(bundle.text('broken/good.txt')).toBe('good')
    },
  )

  test('uses a path twice keeps the first and fails the second', async () => {
    const bundle = await withFault(
      collector(function* ({ text }) {
        yield text('same.txt', () => 'first')
        yield text('same.txt', () => 'second')
      }),
    )
    const rows = bundle.manifest.rows.filter(({ path }) => path === 'broken/same.txt')
    expect(rows.map(({ outcome }) => outcome).sort()).toEqual(['failed', 'ok'])
    expect(bundle.text('broken/same.txt.error.txt')).toContain('already has the path')
  })

  test('asks for what is not there is skipped with the reason, and the bundle is whole', async () => {
    const absent = { ...healthy, needs: { command: 'no-such-command-anywhere' } }
    const bundle = await makeBundle({ absent, healthy })
    expect(bundle.row('absent/collector')).toMatchObject({
      outcome: 'skipped',
      detail: 'the command no-such-command-anywhere is not installed',
    })
    expect(bundle.result.outcome).toBe('whole')
  })
})

describe('limits', () => {
  test('of an entry, a collector and the bundle cut what is over them, at the place, and say which', async () => {
    const flood = collector(function* ({ text }) {
      for (const name of ['a.txt', 'b.txt', 'c.txt']) yield text(name, () => '0123456789'.repeat(30_000))
    })
    const bundle = await makeBundle({ flood, healthy }, { parameters: { limits: 'entry=250000,collector=400000' } })
    const rows = bundle.manifest.rows.filter(({ collector: id }) => id === 'flood')
    expect(rows.every(({ outcome }) => outcome === 'partial')).toBe(true)
    const total = rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    // The markers of the cuts come on top.
    expect(total).toBeGreaterThan(399_999)
    expect(total).toBeLessThan(401_000)
    for (const { detail } of rows)
      expect(detail).toMatch(/limit of (250000 bytes per entry|400000 bytes per collector)/)
    const cut = rows.find(({ sizeBytes }) => sizeBytes > 0)!
    expect(bundle.text(cut.path).endsWith(`\n… diagd: ${cut.detail} …\n`)).toBe(true)
    expect(bundle.text('healthy/fine.txt')).toBe('all is well\n')
  })

  test('hold for files that are opened side by side', async () => {
    const folder = temporaryFolder()
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) writeFileSync(join(folder.path, name), 'a line\n'.repeat(60_000))
    const many = collector(function* ({ files }) {
      yield files(`${folder.path}/*`)
    })
    const bundle = await makeBundle({ many, healthy }, { parameters: { limits: 'collector=1MiB' } })
    folder.remove()
    const rows = bundle.manifest.rows.filter(({ collector: id }) => id === 'many')
    expect(rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThanOrEqual(2 ** 20)
    expect(rows.filter(({ outcome }) => outcome === 'ok')).toHaveLength(2)
    expect(bundle.text('healthy/fine.txt')).toBe('all is well\n')
  })

  test('are in index.json, lifted ones as "none"', async () => {
    const bundle = await makeBundle({ healthy }, { parameters: { limits: 'none' } })
    expect(JSON.parse(bundle.text('index.json')).limits).toMatchObject({ entryBytes: 'none', stallMs: 15_000 })
  })
})

describe('drop-ins', () => {
  const folder = temporaryFolder()
  const dropIns = join(folder.path, 'collectors.d')
  const extras = join(folder.path, 'extras.d')
  beforeEach(() => {
    for (const path of [dropIns, extras]) {
      mkdirSync(path, { recursive: true })
      chmodSync(path, 0o755)
    }
  })
  afterEach(folder.remove)

  const GOOD = `export default { title: 'a drop-in', tier: 'facts', *collect({ text }) { yield text('hello.txt', () => 'hello from a drop-in') } }`
  const load = () => loadRegistry(folder.path, process.geteuid!())
  const idsOf = (registry: Awaited<ReturnType<typeof load>>) => registry.collectors.map(({ id }) => id)

  test.each(['mine.ts', 'mine.js', 'mine.mjs'])('%s is collected like a built-in one', async (name) => {
    writeFileSync(join(dropIns, name), GOOD)
    const registry = await load()
    expect(registry.problems).toEqual([])
    const bundle = await makeBundle({}, { deps: { collectors: registry.collectors.filter(({ id }) => id === 'mine') } })
    expect(bundle.text('mine/hello.txt')).toBe('hello from a drop-in')
  })

  test('that throw at import are reported, and the others work', async () => {
    writeFileSync(join(dropIns, 'broken.js'), 'throw new Error("at import")')
    writeFileSync(join(dropIns, 'fine.js'), GOOD)
    const registry = await load()
    expect(registry.problems).toEqual([expect.stringMatching(/broken\.js is not used: at import/)])
    expect(idsOf(registry)).toContain('fine')
  })

  test.each([
    ['kernel.js', GOOD, 'taken by a built-in'],
    ['Bad Name.js', GOOD, 'lower-case letters'],
    ['not-a-collector.js', 'export default 5', 'has to be a collector'],
    ['no-tier.js', 'export default { title: "x", tier: "soon", collect() {} }', '"tier" has to be one of'],
  ])('%s is refused', async (name, code, reason) => {
    writeFileSync(join(dropIns, name), code)
    const registry = await load()
    expect(registry.problems).toEqual([expect.stringContaining(reason)])
  })

  test('that others may write are refused', async () => {
    writeFileSync(join(dropIns, 'open.js'), GOOD)
    chmodSync(join(dropIns, 'open.js'), 0o666)
    expect((await load()).problems).toEqual([
      expect.stringMatching(/open\.js is not used: others may write it \(mode 666\)/),
    ])
  })

  test('in a folder that others may write are all refused', async () => {
    writeFileSync(join(dropIns, 'fine.js'), GOOD)
    chmodSync(dropIns, 0o777)
    const registry = await load()
    expect(registry.problems).toEqual([expect.stringMatching(/collectors\.d is not used: others may write it/)])
    expect(idsOf(registry)).not.toContain('fine')
  })

  test.runIf(process.geteuid!() === 0)('of another user are refused', async () => {
    writeFileSync(join(dropIns, 'theirs.js'), GOOD)
    chownSync(join(dropIns, 'theirs.js'), 65534, 65534)
    expect((await load()).problems).toEqual([expect.stringContaining('it belongs to uid 65534')])
  })

  test('of extras are lines: a glob, a command, a unit', async () => {
    writeFileSync(join(folder.path, 'app.log'), 'a line of the app\n')
    writeFileSync(
      join(extras, 'app.conf'),
      `# what we want\n${folder.path}/app.l*g\n$ echo 'two words' third\nnonsense\n`,
    )
    const registry = await load()
    expect(registry.problems).toEqual([expect.stringMatching(/app\.conf:4: "nonsense" is none of/)])
    const bundle = await makeBundle(
      {},
      { deps: { collectors: registry.collectors.filter(({ id }) => id === 'extras/app') } },
    )
    expect(bundle.text('extras/app/app.log')).toContain('a line of the app')
    expect(bundle.text('extras/app/echo_two-words_third.txt')).toBe('two words third\n')
  })
})
