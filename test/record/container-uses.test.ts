import { expect, onTestFinished, test } from 'vitest'
import { createContainerUses, type UsesOptions } from '../../src/record/container-uses.ts'

const ID = '0123456789abcdef'.repeat(4)

function uses(options: Partial<UsesOptions>) {
  const made = createContainerUses({ measured: async () => undefined, isNeeded: () => true, intervalMs: 1, ...options })
  onTestFinished(() => made[Symbol.dispose]())
  return made
}

const sampleOf = (id: string, timeMs: number, values: Record<string, number>) => ({
  timeMs,
  rows: [{ subject: 'container' as const, labels: { id: id.slice(0, 12) }, values }],
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

test('what was measured last stays at hand when the container is measured no more, for ten minutes', async () => {
  const samples = [
    sampleOf(ID, 1000, {
      memory_usage_bytes: 5,
      memory_peak_bytes: 7,
      memory_limit_bytes: 9,
      oom_kills: 1,
      cpu_seconds: 0.5,
      processes: 2,
      threads: 3,
    }),
    sampleOf('f'.repeat(64), 2000, { cpu_seconds: 1 }),
  ]
  let more = samples
  const all = uses({ measured: async () => more.shift() })
  await until(() => all.of('f'.repeat(64)) !== undefined)
  expect(all.of(ID)).toEqual({
    timeMs: 1000,
    memoryBytes: 5,
    memoryPeakBytes: 7,
    memoryLimitBytes: 9,
    oomKills: 1,
    cpuSeconds: 0.5,
    processes: 2,
    threads: 3,
  })
  expect(all.of('f'.repeat(64))).toEqual({ timeMs: 2000, cpuSeconds: 1 })
  more = [sampleOf('f'.repeat(64), 602_000, {})]
  await until(() => all.of(ID) === undefined)
})

test('nobody is asked while there is no container, nor again before the answer', async () => {
  let asked = 0
  let turns = 0
  const resting = uses({
    isNeeded: () => (turns++, false),
    measured: async () => {
      asked += 1
      return undefined
    },
  })
  await until(() => turns > 3)
  expect([asked, resting.of(ID)]).toEqual([0, undefined])
  const hanging = uses({
    measured: () => {
      asked += 1
      return new Promise(() => {})
    },
  })
  const due = performance.now() + 30
  await until(() => asked > 0 && performance.now() > due)
  expect([asked, hanging.of(ID)]).toEqual([1, undefined])
})
