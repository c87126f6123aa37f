import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { MetricsDeps } from '../../src/http/metrics.ts'
import type { Family } from '../../src/record/metrics/families.ts'
import { openSnapshot } from '../../src/sources/sqlite-snapshot.ts'
import { temporaryFolder } from '../helpers/archive.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'
import { createTokens } from '../helpers/tokens.ts'

const THINGS: Family = {
  name: 'diagd_things_total',
  help: 'Things.',
  kind: 'counter',
  samples: [{ labels: { kind: 'a "b"' }, value: 3 }],
}
const config = { ...depsOf().config, auth: 'none' as const }

/** The status, the type and the body. */
async function asked(path: string, over: Partial<MetricsDeps>, ...options: string[]) {
  const doors = await openDoors(depsOf({ config, ...over }))
  onTestFinished(() => doors.close())
  const { stdout } = await curl('-w', '\n%{http_code} %{content_type}', ...options, `${doors.tcp}${path}`)
  const [, body = '', status, type] = /^([^]*)\n(\d+) (.*)$/.exec(stdout.toString())!
  return { body, status: Number(status), type }
}

const families = async () => [THINGS]

test('Prometheus text for everybody', async () => {
  expect(await asked('/metrics', { families })).toEqual({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    body: '# HELP diagd_things_total Things.\n# TYPE diagd_things_total counter\ndiagd_things_total{kind="a \\"b\\""} 3\n',
  })
})

test('OpenMetrics for who names it', async () => {
  // What Prometheus 2.42 sends.
  const accept =
    'Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
  const { type, body } = await asked('/metrics', { families }, '-H', accept)
  expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect(body).toBe(
    '# HELP diagd_things Things.\n# TYPE diagd_things counter\ndiagd_things_total{kind="a \\"b\\""} 3\n# EOF\n',
  )
})

test('a parameter is refused, and where nothing is measured there is nothing', async () => {
  const { status, body } = await asked('/metrics?collect[]=cpu', { families })
  expect(status).toBe(400)
  expect(JSON.parse(body)).toMatchObject({ code: 'bad-parameter', detail: expect.stringContaining('accepted: none') })
  expect(await asked('/metrics', {})).toMatchObject({ status: 404 })
})

describe('the database', () => {
  const folder = temporaryFolder()
  const path = join(folder.path, 'metrics.db')
  beforeAll(() => {
    const db = new Database(path)
    db.exec('CREATE TABLE numbers (n); INSERT INTO numbers VALUES (7)')
    db.close()
  })
  afterAll(folder.remove)
  const measured = {
    snapshot: (signal: AbortSignal) => openSnapshot(path, { patience: { ms: 60_000, signal } }),
    range: async () => ({ series: [], marks: [], leftOut: 0 }),
  }

  test('is handed over as a file of its own', async () => {
    const doors = await openDoors(depsOf({ config, measured, node: 'web-1' }))
    onTestFinished(() => doors.close())
    const { stdout } = await curl('-D', join(folder.path, 'head'), `${doors.tcp}/metrics/export`)
    const copy = join(folder.path, 'copy.db')
    writeFileSync(copy, stdout)
    const db = new Database(copy, { readonly: true })
    expect(db.prepare('SELECT n FROM numbers').pluck().get()).toBe(7)
    db.close()
    const { stdout: head } = await curl('-I', '-X', 'GET', `${doors.tcp}/metrics/export`)
    expect(head.toString()).toMatch(/content-disposition: attachment; filename="metrics-web-1-\d{8}T\d{6}Z\.db"/i)
    expect(head.toString()).toMatch(/content-type: application\/vnd\.sqlite3/i)
  })

  test('is not there where nothing is kept', async () => {
    const { status, body } = await asked('/metrics/export', {})
    expect(status).toBe(503)
    expect(JSON.parse(body)).toMatchObject({ code: 'not-recording', detail: 'this diagd keeps no metrics' })
  })
})

test('over TCP a credential for `read` opens it, and one for bundles does not', async () => {
  const tokens = createTokens()
  onTestFinished(tokens.remove)
  const doors = await openDoors(depsOf({ families, tokens: tokens.store }))
  onTestFinished(() => doors.close())
  const status = async (...options: string[]) => {
    const { stdout } = await curl('-o', '/dev/null', '-w', '%{http_code}', ...options, `${doors.tcp}/metrics`)
    return stdout.toString()
  }
  expect(await status()).toBe('401')
  expect(await status('-H', `Authorization: Bearer ${await tokens.create('reader', ['read'])}`)).toBe('200')
  expect(await status('-H', `Authorization: Bearer ${await tokens.create('bundler', ['bundle'])}`)).toBe('403')
})
