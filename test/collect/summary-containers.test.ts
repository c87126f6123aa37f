import { expect, test } from 'vitest'
import { PROBES } from '../../src/collect/summary-probes.ts'
import type { KeptContainer } from '../../src/collector.ts'
import { recordedEngine, testKit } from '../helpers/kit.ts'

const HOUR_MS = 3_600_000

function gone(name: string, more: Partial<KeptContainer>): KeptContainer {
  const log = { lines: 0, diskBytes: 0, dropped: { flood: 0, cap: 0, withheld: 0 }, ambiguous: 0 }
  const known = { id: name.padEnd(64, '0'), name, image: 'busybox', engine: 'rootful', folder: '', log }
  return { ...known, state: 'removed', removedMs: Date.now() - HOUR_MS, ...more }
}

const RUNNING = { Id: 'web'.padEnd(64, '0'), Names: ['/web'], State: 'running', Status: 'Up' }

async function deadContainers(kept: readonly KeptContainer[], listed = [RUNNING]): Promise<readonly string[]> {
  const engine = recordedEngine({ '/containers/json?all=1': listed })
  const kit = testKit({ root: '/nonexistent', engines: { present: [engine], absent: [] }, kept })
  return [await PROBES.find(({ label }) => label === 'dead containers')!.ask(kit)].flat()
}

test('containers that died badly and were removed lately are named, others are not', async () => {
  const lines = await deadContainers([
    gone('killed', { exitCode: 137, oomKilled: true }),
    gone('never', { error: 'no such file' }),
    gone('fine', { exitCode: 0 }),
    gone('long-ago', { exitCode: 1, removedMs: Date.now() - 48 * HOUR_MS }),
    gone('there', { exitCode: 1, state: 'exited', removedMs: 0 }),
  ])
  expect(lines).toEqual([
    'none of 1',
    expect.stringMatching(/^killed: exited \(137\), out of memory, removed 20\S+Z$/),
    expect.stringMatching(/^never: no such file, removed 20/),
  ])
})

test('one that its engine still lists is said to have run out of memory, where that is known', async () => {
  const names = ['starved', 'stopped', 'unknown']
  const Status = 'Exited (137) 2 minutes ago'
  const listed = names.map((name) => ({ Id: name.padEnd(64, '0'), Names: [`/${name}`], State: 'exited', Status }))
  const kept = [
    gone('starved', { state: 'exited', exitCode: 137, oomKilled: true, removedMs: 0 }),
    gone('stopped', { state: 'exited', exitCode: 137, oomKilled: false, removedMs: 0 }),
  ]
  expect(await deadContainers(kept, listed)).toEqual([
    `starved: ${Status}, out of memory`,
    `stopped: ${Status}`,
    `unknown: ${Status}`,
  ])
})

test('one that could not be started is dead, too, and told with the end of the reason', async () => {
  const listed = ['bad', 'young'].map((name) => ({
    Id: name.padEnd(64, '0'),
    Names: [`/${name}`],
    State: 'created',
    Status: 'Created',
  }))
  const error = `failed to create shim task: ${'through many hands: '.repeat(10)}exec: "nothing": executable file not found`
  const kept = [
    gone('bad', { state: 'created', error, removedMs: 0 }),
    gone('young', { state: 'created', removedMs: 0 }),
    gone('late', { error }),
  ]
  expect(await deadContainers(kept, listed)).toEqual([
    expect.stringMatching(/^bad: could not be started: ….*exec: "nothing": executable file not found$/),
    expect.stringMatching(/^late: ….*: executable file not found, removed 20\S+Z$/),
  ])
})

test('many of them are counted, and none changes nothing', async () => {
  const many = Array.from({ length: 50 }, (_, index) => gone(`c${index}`.repeat(60), { exitCode: 1 }))
  const lines = await deadContainers(many)
  expect(lines).toHaveLength(8)
  expect(lines.at(-1)).toBe('… and 44 more that were removed')
  expect(lines.join('\n').length).toBeLessThan(2000)
  expect(await deadContainers([])).toEqual(['none of 1'])
})
