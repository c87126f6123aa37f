/** Files that are not what they seem, as entries of a bundle: each costs itself, and says so. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Sink } from '../../src/archive/output.ts'
import { deadFuse } from '../helpers/dead-fuse.ts'
import { temporaryFolder } from '../helpers/commands.ts'
import { collector, makeBundle } from '../helpers/make-bundle.ts'

const healthy = collector(function* ({ text }) {
  yield text('fine.txt', () => 'all is well\n')
})

/** A bundle of everything in a folder, each file asked for by a glob. */
/** Unmasked, a file goes straight through at its own length, so what the sink does meets it half-way. */
async function bundleOf(folder: string, parameters: Record<string, string> = {}, sink?: Sink, unmasked = false) {
  const logs = collector(function* ({ files }) {
    yield files(`${folder}/*`)
  })
  const bundle = await makeBundle({ logs, healthy }, { parameters, request: { unmasked }, ...(sink ? { sink } : {}) })
  expect(bundle.text('healthy/fine.txt')).toBe('all is well\n')
  expect(bundle.manifest.complete).toBe(true)
  return bundle
}

const LINE = '2026-11-21T09:34:09Z node app[1]: a line of some length, so that sizes add up\n'

describe('a file that', () => {
  test('shrinks while it is read is padded, marked, and the archive is whole behind it', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'shrinking.log')
    writeFileSync(path, LINE.repeat(200_000))
    const size = LINE.length * 200_000
    let out = 0
    const shrink = async (chunk: Buffer): Promise<void> => {
      out += chunk.length
      // Its first MiB has passed by: it is open, and announced.
      if (out > 2 ** 20) truncateSync(path, 2 ** 20)
    }
    const bundle = await bundleOf(folder, { format: 'tar' }, { write: shrink }, true)
    expect(bundle.row('logs/shrinking.log')).toMatchObject({ outcome: 'partial', sizeBytes: size })
    expect(bundle.text('logs/shrinking.log')).toMatch(
      /… diagd: shrank from \d+ to \d+ bytes while it was read; padded …/,
    )
    expect(bundle.text('logs/shrinking.log.error.txt')).toContain('shrank')
  })

  test('grows while it is read is cut at the size it had, and marked', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'growing.bin')
    writeFileSync(path, LINE.repeat(100_000))
    const more = { write: async () => writeFileSync(path, LINE, { flag: 'a' }) }
    const bundle = await bundleOf(folder, { format: 'tar' }, more, true)
    const row = bundle.row('logs/growing.bin')
    expect(row).toMatchObject({ outcome: 'partial', detail: expect.stringContaining('grew while it was read') })
    expect(row.sizeBytes % LINE.length).toBe(0)
  })

  test('vanishes between listing and opening is named', async () => {
    const folder = temporaryFolder()
    const names = Array.from({ length: 30 }, (_, index) => `${String(index).padStart(2, '0')}.log`)
    for (const name of names) writeFileSync(join(folder, name), LINE.repeat(10_000))
    let out = 0
    const remove = async (chunk: Buffer): Promise<void> => {
      out += chunk.length
      // All are listed by now, and but a few are open at once: the last is not.
      if (out > 2 ** 20) rmSync(join(folder, names.at(-1)!), { force: true })
    }
    const bundle = await bundleOf(folder, { format: 'tar' }, { write: remove })
    const row = bundle.row(`logs/${names.at(-1)}`)
    expect(row).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('vanished between listing and opening'),
    })
    expect(bundle.files.get('logs/28.log')!.length).toBe(LINE.length * 10_000)
  })

  test('is no file at all is named for what it is, and is not opened', async () => {
    const folder = temporaryFolder()
    execFileSync('mkfifo', [join(folder, 'fifo.log')])
    mkdirSync(join(folder, 'directory.log'))
    const server = createServer().listen(join(folder, 'socket.log'))
    await once(server, 'listening')
    if (process.geteuid!() === 0) execFileSync('mknod', [join(folder, 'device.log'), 'c', '1', '5'])
    const bundle = await bundleOf(folder)
    server.close()
    for (const { path, outcome, detail } of bundle.manifest.rows.filter(({ collector: id }) => id === 'logs')) {
      expect({ path, outcome }).toEqual({ path, outcome: 'skipped' })
      expect(detail).toMatch(new RegExp(/\/(\w+)\.log$/.exec(path)![1]!.replace('fifo', '(fifo|FIFO|named pipe)')))
    }
    expect(bundle.manifest.rows.some(({ path }) => path === 'logs/fifo.log')).toBe(true)
  })

  test('is a link to /etc/shadow in a log folder exports nothing', async () => {
    const folder = temporaryFolder()
    symlinkSync('/etc/shadow', join(folder, 'innocent.log'))
    symlinkSync('/etc/passwd', join(folder, 'outside.log'))
    const bundle = await bundleOf(folder)
    expect(bundle.row('logs/innocent.log').outcome).toBe('withheld')
    expect(bundle.row('logs/outside.log').outcome).toBe('withheld')
    expect(bundle.text('logs/innocent.log.error.txt')).toContain('/etc/shadow')
    expect([...bundle.files.keys()]).not.toContain('logs/innocent.log')
  })

  test('is a link to itself costs itself', async () => {
    const folder = temporaryFolder()
    symlinkSync('loop-b.log', join(folder, 'loop-a.log'))
    symlinkSync('loop-a.log', join(folder, 'loop-b.log'))
    const bundle = await bundleOf(folder)
    expect(bundle.row('logs/loop-a.log')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/loop|link/),
    })
  })

  test('has a size of 0 in /proc is read to its end', async () => {
    const proc = collector(function* ({ file }) {
      yield file('/proc/self/status').as('status')
    })
    const bundle = await makeBundle({ proc, healthy })
    expect(bundle.text('proc/status')).toContain('VmRSS')
  })

  test('is a sparse terabyte costs its ends', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'lastlog')
    openSync(path, 'w')
    truncateSync(path, 1e12)
    const bundle = await bundleOf(folder, { limits: 'none' })
    expect(bundle.row('logs/lastlog')).toMatchObject({ outcome: 'partial', detail: expect.stringContaining('sparse') })
    expect(bundle.row('logs/lastlog').sizeBytes).toBeLessThan(2 ** 18)
  })

  test('has an odd name is extractable, and its own name is in the manifest', async () => {
    const folder = temporaryFolder()
    const names = ['with space.log', 'new\nline.log', 'ümlaut-日本.log', `${'x'.repeat(251)}.log`, '100%.log']
    for (const name of names) writeFileSync(join(folder, name), `${name.length}\n`)
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/latin1-`), Buffer.from([0xfc])]), 'latin1\n')
    const bundle = await bundleOf(folder)
    expect(bundle.text('logs/new%0Aline.log')).toBe(`${'new\nline.log'.length}\n`)
    expect(bundle.text('logs/latin1-%FC')).toBe('latin1\n')
    expect(bundle.row('logs/with space.log').outcome).toBe('ok')
    expect(bundle.row('logs/new%0Aline.log').origin).toBe(join(folder, 'new\nline.log'))
    expect(bundle.manifest.rows.filter(({ outcome }) => outcome === 'ok')).toHaveLength(names.length + 2)
  })

  test('lies beside its own compressed copy arrives beside it, too', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'app.log'), 'live\n')
    writeFileSync(join(folder, 'app.log.gz'), gzipSync('old\n'))
    writeFileSync(join(folder, 'app.log.2.gz'), gzipSync('older\n'))
    const bundle = await bundleOf(folder)
    expect(bundle.text('logs/app.log')).toBe('live\n')
    expect(bundle.text('logs/app.log.gz.decompressed')).toBe('old\n')
    expect(bundle.text('logs/app.log.2')).toBe('older\n')
  })

  test('holds any bytes arrives with all of them', async () => {
    const folder = temporaryFolder()
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256))
    writeFileSync(join(folder, 'binary'), bytes)
    const bundle = await bundleOf(folder)
    expect(bundle.files.get('logs/binary')!.equals(bytes)).toBe(true)
  })

  test('is over its limit keeps its beginning and its newest lines', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'long.log')
    writeFileSync(path, Array.from({ length: 200_000 }, (_, index) => `line ${index}\n`).join(''))
    const bundle = await bundleOf(folder, { limits: 'entry=1MiB' })
    const text = bundle.text('logs/long.log')
    expect(text.startsWith('line 0\n')).toBe(true)
    expect(text.endsWith('line 199999\n')).toBe(true)
    expect(text).toMatch(/\n… diagd: \d+ bytes left out here \(over the limit of 1048576 bytes per entry\) …\n/)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2 ** 20)
  })
})

test('a FUSE mount that never answers costs its own entry', async ({ skip }) => {
  const mount = await deadFuse()
  if (!mount) return skip('SKIPPED: needs root and /dev/fuse')
  try {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'beside.log'), LINE)
    const logs = collector(function* ({ file, files }) {
      yield file(`${mount.path}/dead.log`).as('dead.log')
      yield files(`${mount.path}/*.log`).as('glob/')
      yield files(`${folder}/*`)
    })
    const bundle = await makeBundle({ logs, healthy }, { parameters: { limits: 'stall=500ms' } })
    expect(bundle.text('logs/beside.log')).toBe(LINE)
    expect(bundle.row('logs/dead.log').outcome).toBe('timeout')
    expect(bundle.manifest.rows.find(({ path }) => path.startsWith('logs/glob/'))?.detail).toContain('fuse')
  } finally {
    await mount.stop()
  }
})
