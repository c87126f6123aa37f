/** What is masked by value: of which containers, and what happens when there is more than can be looked for. */
import { expect, test } from 'vitest'
import { liveValues } from '../../src/collect/live-values.ts'
import { recordedEngine, testKit } from '../helpers/kit.ts'

function kitWith(environments: readonly (readonly string[])[]) {
  const answers: Record<string, unknown> = {
    '/containers/json?all=1': environments.map((_, index) => ({ Id: `c${index}` })),
  }
  for (const [index, Env] of environments.entries()) answers[`/containers/c${index}/json`] = { Config: { Env } }
  return testKit({ root: '/nonexistent', engines: { present: [recordedEngine(answers)], absent: [] } })
}

const none = () => Promise.resolve([])
const numbered = (name: string, length: number) => Array.from({ length }, (_, index) => `${name}-${index}-x7Q`)

test('variables of secret names are known, in the order of the files and then of the containers in turn', async () => {
  const kit = kitWith([
    ['A_PASSWORD=first-Value9', 'PATH=/usr/bin', 'B_TOKEN=second-Value9'],
    ['C_SECRET=third-Value9'],
    [],
  ])
  const { values, problems, distrust } = await liveValues(kit, () => Promise.resolve(['file-Value9', 'postgres']))
  expect(values).toEqual(['file-Value9', 'first-Value9', 'third-Value9', 'second-Value9'])
  expect([problems, distrust]).toEqual([[], undefined])
})

test('a container with thousands of values does not push out those of others, and the rest is a problem', async () => {
  const greedy = numbered('greedy', 10_500).map((value, index) => `P${index}_PASSWORD=${value}`)
  const { values, problems, distrust } = await liveValues(kitWith([greedy, ['A_PASSWORD=modest-Value9']]), none)
  expect(values).toHaveLength(10_000)
  expect(values).toContain('modest-Value9')
  expect(problems).toEqual(['environment of containers: 501 values more than can be looked for are not known'])
  expect(distrust).toBeUndefined()
})

test('more values in files of secrets than can be looked for: nothing is trusted', async () => {
  const { problems, distrust } = await liveValues(kitWith([]), () => Promise.resolve(numbered('file', 10_001)))
  expect(distrust).toBe(
    'files of secrets that the configuration names: 1 values more than the 10000 that can be looked for',
  )
  expect(problems).toEqual([distrust])
})

test('containers that are not asked are a problem', async () => {
  const kit = kitWith(Array.from({ length: 501 }, (_, index) => [`A_PASSWORD=value-${index}-x7Q`]))
  const { values, problems } = await liveValues(kit, none)
  expect(values).toHaveLength(500)
  expect(problems).toEqual(['environment of containers: only those of 500 containers of an engine are known'])
})
