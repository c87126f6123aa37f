import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { beforeAll, expect, test } from 'vitest'
import { extract } from '../helpers/archive.ts'
import { realBundle } from '../helpers/bundle.ts'

let files = new Map<string, unknown>()

beforeAll(async () => {
  const bundle = extract(await realBundle({ limits: 'none' }))
  files = new Map([...bundle].map(([path, content]) => [path.split('/').slice(1).join('/'), content]))
})

const document = (path: string) => JSON.parse(String(files.get(path))) as Record<string, unknown>

async function validator(name: string) {
  const text = await readFile(new URL(`../../docs/schema/${name}.schema.json`, import.meta.url), 'utf8')
  const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true })
  addFormats.default(ajv)
  return ajv.compile(JSON.parse(text) as object)
}

test.each(['index', 'manifest'])('%s.json of a bundle is as its schema says', async (name) => {
  const validate = await validator(name)
  validate(document(`${name}.json`))
  expect(validate.errors).toBeNull()
})

test.each([
  ['index', 'clock', { utc: 'today', boottimeSeconds: 1, zone: 'UTC', synchronized: null }],
  ['index', 'bundleId', 'bundle.tar.gz'],
  ['index', 'format', 'zip'],
  ['manifest', 'complete', false],
  ['manifest', 'outcome', 'fine'],
  ['manifest', 'files', [{ path: '../etc/passwd', sizeBytes: 0, sha256: '0'.repeat(64) }]],
])('the schema of %s.json refuses another %s', async (name, key, value) => {
  const validate = await validator(name)
  validate({ ...document(`${name}.json`), [key]: value })
  expect(validate.errors?.map(({ instancePath }) => instancePath).join()).toContain(`/${key}`)
})

test('the schema of manifest.json wants a sentence for every outcome but ok', async () => {
  const validate = await validator('manifest')
  const rows = [{ ...(document('manifest.json').rows as object[])[0], outcome: 'failed', detail: undefined }]
  expect(validate(JSON.parse(JSON.stringify({ ...document('manifest.json'), rows })))).toBe(false)
})
