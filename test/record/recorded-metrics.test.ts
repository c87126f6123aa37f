import { createServer } from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { beside } from '../../src/record/beside.ts'
import { metricsBeside } from '../../src/record/recorded-metrics-beside.ts'
import { metricsHere } from '../../src/record/recorded-metrics-here.ts'
import { ownFolder } from '../helpers/daemon.ts'
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

function samplesIn({ bytes, end }: Awaited<ReturnType<typeof drained>>): unknown {
  expect(end).toEqual({ outcome: 'ok' })
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
  expect(samplesIn(await drained(await here.open(sourceContext())))).toBe(60)
  expect(here.origin).toBe(join(folder, 'metrics.db'))
  expect(await here.setAside()).toEqual([])
})

test('beside a dead daemon both come from the files, which stay as they are', async () => {
  const { folder, store } = await recorded()
  const files = ['metrics.db', 'metrics.db-wal'].map((name) => join(folder, name))
  const before = files.map((path) => readFileSync(path))
  const dead = nobody(folder)
  expect(await dead.range(QUERY, sourceContext())).toEqual(await metricsHere(store).range(QUERY, sourceContext()))
  expect(samplesIn(await drained(await dead.open(sourceContext())))).toBe(60)
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
