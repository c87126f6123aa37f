import { createServer } from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { beside } from '../../src/record/beside.ts'
import { metricsBeside } from '../../src/record/recorded-metrics-beside.ts'
import { metricsHere } from '../../src/record/recorded-metrics-here.ts'
import type { Opened } from '../../src/sources/source.ts'
import { extract } from '../helpers/archive.ts'
import { ownFolder, startDaemon, type TestDaemon } from '../helpers/daemon.ts'
import { machine, MONDAY_MS } from '../helpers/samples.ts'
import { drained, sourceContext } from '../helpers/source.ts'
import { storeIn } from './metrics/database/kit.ts'

const QUERY = {
  sinceMs: MONDAY_MS,
  untilMs: MONDAY_MS + 600_000,
  stepMs: 60_000,
  columns: { host: ['load_1', 'memory_available_bytes'], mount: ['used_bytes'] },
}

/** Ten minutes of a machine, in a store that is open. */
async function recorded() {
  const folder = ownFolder()
  const store = storeIn(folder)
  const { next } = machine()
  for (let sample = 0; sample < 60; sample += 1) await store.append(next())
  return { folder, store }
}

async function samplesOf(opened: Opened): Promise<unknown> {
  const { bytes, end } = await drained(opened)
  expect(end).toEqual({ outcome: 'ok' })
  return samplesIn(bytes)
}

function samplesIn(bytes: Buffer): unknown {
  const path = join(ownFolder(), 'copy.db')
  writeFileSync(path, bytes)
  const db = new Database(path, { readonly: true })
  onTestFinished(() => void db.close())
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  return db.prepare('SELECT count(*) FROM samples').pluck().get()
}

const nobody = (folder: string) => metricsBeside({ daemon: beside(join(folder, 'no.sock')), stateDir: folder })

test('the daemon has numbers and a copy from its own store', async () => {
  const { folder, store } = await recorded()
  const here = metricsHere(store)
  const { series } = await here.range(QUERY, sourceContext())
  expect(series.map(({ subject, labels, samples }) => [subject, labels['mountpoint'], samples])).toEqual([
    ['host', undefined, Array.from({ length: 10 }, () => 6)],
    ['mount', '/data/0', Array.from({ length: 10 }, () => 6)],
  ])
  expect(await samplesOf(await here.open(sourceContext()))).toBe(60)
  expect(here.origin).toBe(join(folder, 'metrics.db'))
  expect(await here.setAside()).toEqual([])
})

test('beside a dead daemon both come from the files, which stay as they are', async () => {
  const { folder, store } = await recorded()
  const files = ['metrics.db', 'metrics.db-wal'].map((name) => join(folder, name))
  const before = files.map((path) => readFileSync(path))
  const dead = nobody(folder)
  expect(await dead.range(QUERY, sourceContext())).toEqual(await metricsHere(store).range(QUERY, sourceContext()))
  expect(await samplesOf(await dead.open(sourceContext()))).toBe(60)
  expect(files.map((path) => readFileSync(path))).toEqual(before)
})

test('a daemon that refuses one question is asked the next one, and told from one that is not there', async () => {
  const { folder, store } = await recorded()
  const asked: string[] = []
  const socket = join(folder, 'diagd.sock')
  const daemon = createServer((request, response) => {
    asked.push(request.url!.split('?')[0]!)
    if (request.url!.startsWith('/metrics/range')) response.writeHead(503).end('{"detail":"the disk is full"}')
    else response.end(request.url === '/health' ? '{}' : 'the copy')
  })
  await new Promise<void>((resolve) => daemon.listen(socket, resolve))
  onTestFinished(() => void daemon.close())
  const through = metricsBeside({ daemon: beside(socket), stateDir: folder })
  expect(await through.range(QUERY, sourceContext())).toEqual(await metricsHere(store).range(QUERY, sourceContext()))
  expect((await drained(await through.open(sourceContext()))).text).toBe('the copy')
  expect(asked).toEqual(['/metrics/range', '/health', '/metrics/export'])
})

test('where there is no database it is skipped', async () => {
  const folder = ownFolder()
  const reason = `${join(folder, 'metrics.db')} does not exist`
  await expect(nobody(folder).range(QUERY, sourceContext())).rejects.toMatchObject({
    outcome: 'skipped',
    message: reason,
  })
  await expect(nobody(folder).open(sourceContext())).rejects.toMatchObject({
    outcome: 'skipped',
    message: `no diagd to ask (${join(folder, 'no.sock')} does not exist), and ${reason}`,
  })
})

test('a damaged one fails, with what SQLite says', async () => {
  const folder = ownFolder()
  writeFileSync(join(folder, 'metrics.db'), 'no database'.repeat(1000))
  await expect(nobody(folder).range(QUERY, sourceContext())).rejects.toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('file is not a database (SQLITE_NOTADB)') as string,
  })
})

describe('bundles', () => {
  /** One that has kept some samples. */
  async function measuring(): Promise<TestDaemon> {
    const daemon = await startDaemon({ DIAGD_METRICS: '{interval: 1s}', DIAGD_EVENTS: 'none' })
    const kept = async () => {
      const { metrics } = (await daemon.ask('GET', '/health')).json() as { metrics: { samples: number } }
      return metrics.samples
    }
    await vi.waitFor(async () => expect(await kept()).toBeGreaterThan(2), { timeout: 50_000 })
    return daemon
  }

  function look(bundle: Buffer) {
    const files = new Map([...extract(bundle)].map(([path, content]) => [path.replace(/^[^/]+\//, ''), content]))
    const { rows } = JSON.parse(files.get('manifest.json')!.toString()) as { rows: Row[] }
    const database = files.get('metrics/metrics.db')
    return {
      outcomes: Object.fromEntries(rows.map(({ path, outcome }) => [path, outcome])),
      origin: rows.find(({ path }) => path === 'metrics/metrics.db')?.origin,
      samples: database && samplesIn(database),
      svg: files.get('metrics/overview.svg')?.toString() ?? '',
      table: files.get('metrics/overview.txt')?.toString() ?? '',
    }
  }

  const ALL = { 'metrics/overview.txt': 'ok', 'metrics/overview.svg': 'ok', 'metrics/metrics.db': 'ok' }

  const fromBeside = async (daemon: TestDaemon) =>
    look((await daemon.run('collect', '--only', 'metrics', '-o', '-')).stdout)

  test('of the daemon, beside it through its socket, beside a hung one and a dead one from the files: all have all', async () => {
    const daemon = await measuring()
    const own = look((await daemon.ask('GET', '/debug-package?only=metrics')).body)
    const through = await fromBeside(daemon)
    daemon.running.child.kill('SIGSTOP')
    const hung = await fromBeside(daemon)
    daemon.running.child.kill('SIGCONT')
    daemon.running.child.kill('SIGKILL')
    await daemon.running.ended
    const dead = await fromBeside(daemon)
    for (const { outcomes, samples, svg, table } of [own, through, hung, dead]) {
      expect(outcomes).toEqual(ALL)
      expect(samples).toBeGreaterThan(2)
      expect(svg).toContain('<g id="memory">')
      expect(table).toMatch(/\nMemory +in use +/)
    }
    const file = join(daemon.state, 'metrics.db')
    const socket = `unix:${daemon.socket} /metrics/export`
    expect([own, through, hung, dead].map(({ origin }) => origin)).toEqual([file, socket, file, file])
  })

  test('where nothing is measured all of it is skipped, with the reason', async () => {
    const daemon = await startDaemon({ DIAGD_METRICS: 'none', DIAGD_EVENTS: 'none' })
    const { body } = await daemon.ask('GET', '/debug-package?only=metrics')
    expect(look(body).outcomes).toEqual(Object.fromEntries(Object.keys(ALL).map((path) => [path, 'skipped'])))
  })
})

interface Row {
  readonly path: string
  readonly outcome: string
  readonly origin?: string
}
