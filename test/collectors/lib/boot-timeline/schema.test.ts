/** timeline.json is a contract: docs/schema/boot-timeline.schema.json. */
import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { bootTimeline } from '../../../../collectors/lib/boot-timeline/build.ts'
import { recordedBoot } from '../../../helpers/boot.ts'

const text = await readFile(new URL('../../../../docs/schema/boot-timeline.schema.json', import.meta.url), 'utf8')
const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true })
addFormats.default(ajv)
const validate = ajv.compile(JSON.parse(text) as object)
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>

test.each([
  ['first-boot', recordedBoot('first-boot')],
  ['slow-network', recordedBoot('slow-network')],
  ['hanging', { ...recordedBoot('hanging'), live: false }],
  ['nothing', { bootId: 'a'.repeat(32), live: true }],
])('%s is as the schema says', (_, inputs) => {
  validate(asJson(bootTimeline(inputs)))
  expect(validate.errors).toBeNull()
})

test('every key of it is in the schema', () => {
  const { properties } = JSON.parse(text) as { properties: Record<string, { items?: { properties: object } }> }
  const timeline = asJson(bootTimeline(recordedBoot('slow-network')))
  expect(Object.keys(timeline).toSorted()).toEqual(Object.keys(properties).toSorted())
  for (const [key, list] of Object.entries(timeline)) {
    if (!Array.isArray(list)) continue
    const keys = new Set(list.flatMap((item) => Object.keys(item as object)))
    expect(Object.keys(properties[key]!.items!.properties)).toEqual(expect.arrayContaining([...keys]))
  }
})

test.each([
  ['bootId', 'e6827f09-d949'],
  ['state', 'fine'],
  ['startedAt', 'today'],
  ['sumMs', -1],
  ['steps', [{ name: 'a' }]],
  ['gaps', [{ startedMs: 0, endedMs: 1, durationMs: 1, waitedFor: [] }]],
])('the schema refuses another %s', (key, value) => {
  validate({ ...asJson(bootTimeline(recordedBoot('first-boot'))), [key]: value })
  expect(validate.errors?.map(({ instancePath }) => instancePath).join()).toContain(`/${key}`)
})
