import { expect, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { parseUploadsKey, type UploadsConfig } from '../../../src/config/uploads.ts'
import { limitsOf } from '../../../src/upload/due/limits.ts'
import { silentTriggers, silentWarning } from '../../../src/upload/due/silent.ts'
import { TRIGGERS } from '../../../src/upload/upload.ts'

type Given = Pick<Config, 'events' | 'metrics' | 'containers'>

const on = {} as never
const ALL: Given = { events: on, metrics: on, containers: on }

function silent(config: Partial<Given>, triggers: unknown = {}) {
  const { triggers: parsed } = parseUploadsKey({ target: 's3://bucket/', triggers }) as UploadsConfig
  return silentTriggers(parsed, { ...ALL, ...config })
}

const names = (config: Partial<Given>, triggers?: unknown) => silent(config, triggers).map(({ trigger }) => trigger)

test('where all is recorded every trigger can fire', () => {
  expect(silent({})).toEqual([])
  expect(silentWarning([])).toBeUndefined()
})

test('each is told with what it needs; but for a shutdown, which needs nothing, all are', () => {
  const { triggers } = parseUploadsKey({ target: 's3://bucket/' }) as UploadsConfig
  const all = TRIGGERS.filter((trigger) => limitsOf(triggers, trigger))
  expect([...names({ events: 'none', metrics: 'none' }), 'shutdown'].toSorted()).toEqual(all.toSorted())
  expect(silentWarning(silent({ events: 'none', metrics: 'none' }))).toBe(
    'uploads: triggers that can never fire: container, unit, oom-kill, slow-boot, failed-boot, unclean-end (events is none); ' +
      'pressure, disk (metrics is none)',
  )
  expect(silent({ containers: 'none' })).toEqual([{ trigger: 'container', why: 'containers is none' }])
})

test('what is switched off is not missed', () => {
  expect(silent({ events: 'none', metrics: 'none' }, false)).toEqual([])
  expect(names({ metrics: 'none' }, { disk: false })).toEqual(['pressure'])
})
