/** What logs are masked with, and what a segment may say of that. */
import { expect, test } from 'vitest'
import { createSeenValues } from '../../../src/redact/seen.ts'
import { Secrets, type SecretsDeps } from '../../../src/record/containers/follow/secrets.ts'
import { KnownValues } from '../../../src/record/containers/keep/known-values.ts'
import type { MaskSettings } from '../../../src/record/containers/thread/protocol.ts'
import { stateFolder } from './tail-kit.ts'

const bytes = new Uint8Array(32).fill(7)
const A = 'Tr0ub4dor-and-3'
const B = 'correct-Horse-77'

async function secretsIn(folder: string, more: Partial<SecretsDeps> = {}) {
  const masks: MaskSettings[] = []
  const deps: SecretsDeps = { nodeKey: { bytes, kept: 'node' }, settings: {}, values: async () => [], ...more }
  const secrets = new Secrets(folder, deps, (mask) => masks.push(mask))
  await secrets.refresh()
  return { secrets, newest: () => ({ live: masks.at(-1)!.options?.live, values: masks.at(-1)!.values }) }
}

const told = (value: string) => ({ Id: 'c0ffee', Config: { Env: [`DB_PASSWORD=${value}`, 'PATH=/usr/bin'] } })

test('what a container is told is masked before its log is, and in all else that is recorded', async () => {
  const seen = createSeenValues()
  const { secrets, newest } = await secretsIn(await stateFolder(), { seen })
  await Promise.all([secrets.learn(told(A)), secrets.learn(told(A)), secrets.learn(told(B))])
  expect(newest()).toEqual({ live: [A, B], values: 2 })
  expect(seen.newest().toSorted()).toEqual([A, B].toSorted())
})

test('whoever is told what another is just being told waits until it is masked', async () => {
  const { secrets, newest } = await secretsIn(await stateFolder())
  const first = secrets.learn(told(A))
  await secrets.learn(told(A))
  expect(newest().live).toEqual([A])
  await first
})

test('after a restart the secret of a container that is gone is not looked for, and no segment says it was', async () => {
  const folder = await stateFolder()
  const before = await secretsIn(folder)
  await before.secrets.learn(told(A))
  await before.secrets.learn(told(B))
  const after = await secretsIn(folder)
  expect(after.newest()).toEqual({ live: [], values: 0 })
  await after.secrets.learn(told(B))
  // The first of all is not looked for.
  expect(after.newest()).toEqual({ live: [B], values: 0 })
  await after.secrets.settle()
  expect(after.newest()).toEqual({ live: [B], values: 2 })
  const known = await KnownValues.read(folder, bytes)
  expect([known.covering([B]), known.covering([A])]).toEqual([2, Infinity])
  await after.secrets.learn(told(A))
  expect((await KnownValues.read(folder, bytes)).covering([A])).toBe(3)
})
