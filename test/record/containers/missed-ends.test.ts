/** Ends of containers that happened while nobody listened: told once, as the engine would have, though it does not remember. */
import { expect, test } from 'vitest'
import { endEvent, isTold, mayBeMissed, type MissedSince } from '../../../src/record/containers/follow/missed-ends.ts'
import type { ContainerFacts } from '../../../src/record/containers/container.ts'
import { describeWithDocker, sh } from '../../helpers/docker.ts'
import { keptOf, startTail, stateFolder, type TestTail } from './tail-kit.ts'

const BOOT_MS = 1_700_000_000_000
const BASE = {
  id: 'a'.repeat(64),
  name: 'web',
  image: 'app:3',
  engine: 'rootful',
  state: 'exited',
  exitCode: 3,
} as const
const ended = (afterMs: number, more: Partial<ContainerFacts> = {}): ContainerFacts => ({
  ...BASE,
  finishedMs: BOOT_MS + afterMs,
  ...more,
})
const SINCE: MissedSince = {
  cursor: '1700000010.000000000',
  isFirst: false,
  bootStartMs: BOOT_MS,
  wasRunning: new Set(),
}
const RUNNING = { ...SINCE, wasRunning: new Set([BASE.id]) }
const FIRST = { ...SINCE, isFirst: true }

test.each<[string, ContainerFacts, MissedSince, boolean]>([
  ['after the last word', ended(10_001), SINCE, true],
  ['before it', ended(9_999), SINCE, false],
  ['it runs', ended(10_001, { state: 'running' }), SINCE, false],
  ['in the boot before, and known to have run', ended(-5000), { ...RUNNING, cursor: '1699999990.000000000' }, true],
  ['in the boot before, and not known', ended(-5000), { ...SINCE, cursor: '1699999990.000000000' }, false],
  ['in this boot, without a last word', ended(1), FIRST, true],
  ['in the boot before, without a last word', ended(-1), FIRST, false],
  ['it never ended', { ...BASE, state: 'removed' }, RUNNING, false],
])('an end may be missed: %s', (_, facts, since, expected) => {
  expect(mayBeMissed(facts, since)).toBe(expected)
})

test('an engine that remembers it tells of it, unless it was before anybody listened', () => {
  const die = { ...endEvent(ended(5000), SINCE), timeMs: BOOT_MS + 5003, cursor: '1700000005.003000000' }
  const facts = ended(5000)
  expect(isTold(facts, [die], SINCE)).toBe(true)
  expect(isTold(facts, [die], FIRST)).toBe(false)
  expect(isTold(facts, [{ ...die, cursor: '1700000010.003000000' }], FIRST)).toBe(true)
  expect(isTold(facts, [{ ...die, action: 'start' }], SINCE)).toBe(undefined)
  expect(isTold(facts, [{ ...die, id: 'b'.repeat(64) }], SINCE)).toBe(undefined)
  expect(isTold(ended(6000), [die], SINCE)).toBe(undefined)
})

test('it is told as the engine would have told it, and with what it does not know', () => {
  expect(endEvent(ended(5000, { oomKilled: true }), SINCE)).toEqual({
    about: 'container',
    action: 'die',
    id: BASE.id,
    attributes: { name: 'web', image: 'app:3', exitCode: '3', outOfMemory: 'true', toldBy: 'inspect' },
    timeMs: BOOT_MS + 5000,
    cursor: '1700000005.000000000',
  })
  // All that the engine told is behind it then.
  expect(endEvent(ended(5000.25), FIRST)).toMatchObject({ timeMs: BOOT_MS + 5000.25, cursor: SINCE.cursor })
  expect(endEvent(ended(5000.25), SINCE).cursor).toBe('1700000005.000250000')
})

const deathsOf = ({ store }: TestTail, name: string) =>
  store.events.filter(({ type, subject }) => type === 'container.die' && subject === name)

describeWithDocker('ends that nobody heard of', (docker) => {
  const waiting = sh('trap "exit 3" USR1; echo ready; while :; do sleep 0.01; done')
  const end = (id: string) => docker().ask('POST', `/containers/${id}/kill?signal=USR1`)

  test('before diagd came, while it was away and the engine forgot, and with what the engine remembers: each is told once', async () => {
    const stateDir = await stateFolder()
    await docker().run('early', { Cmd: sh('exit 7') })
    const first = await startTail([docker().socket], { stateDir })
    await first.heard('container.die', 'early')
    const { finishedMs } = await keptOf(first, 'early', (kept) => kept.finishedMs !== undefined)
    expect(deathsOf(first, 'early')).toEqual([
      expect.objectContaining({
        level: 'error',
        bootId: 'boot',
        timeMs: finishedMs,
        message: expect.stringMatching(/ended with exit code 7, found afterwards \(configured\)$/) as string,
        detail: expect.objectContaining({ exitCode: '7', toldBy: 'inspect' }) as object,
      }),
    ])
    const ids = await Promise.all(['forgotten', 'remembered'].map((name) => docker().start(name, { Cmd: waiting })))
    for (const name of ['forgotten', 'remembered']) await keptOf(first, name, ({ log }) => log.lines === 1)
    await first.close()
    await end(ids[0]!)
    await docker().ask('POST', `/containers/${ids[0]}/wait`)
    // What it remembers goes with it; its containers stay.
    await docker().restart('SIGKILL')
    await end(ids[1]!)
    await docker().ask('POST', `/containers/${ids[1]}/wait`)

    const { store } = first
    const second = await startTail([docker().socket], { stateDir, store })
    await second.heard('container.die', 'forgotten')
    await second.heard('container.die', 'remembered')
    expect(deathsOf(second, 'forgotten')).toMatchObject([{ detail: { exitCode: '3', toldBy: 'inspect' } }])
    expect(deathsOf(second, 'remembered')[0]!.detail).not.toHaveProperty('toldBy')
    await second.close()

    // Of what is on the disk nothing tells that they are told: only the place, which is stored with them.
    const third = await startTail([docker().socket], { stateDir: await stateFolder(), store })
    await docker().run('last', { Cmd: ['true'] })
    await third.heard('container.die', 'last')
    for (const name of ['early', 'forgotten', 'remembered', 'last']) expect(deathsOf(third, name)).toHaveLength(1)
  })

  test('while what is told already cannot be read, none is told', async () => {
    await docker().run('unsure', { Cmd: sh('exit 5') })
    const first = await startTail([docker().socket])
    await first.heard('container.die', 'unsure')
    await first.close()
    const { store } = first
    const cursor = store.cursor
    store.cursor = () => Promise.reject(new Error('paused'))
    const second = await startTail([docker().socket], { store })
    await docker().run('next', { Cmd: ['true'] })
    await second.heard('container.die', 'next')
    expect(deathsOf(second, 'unsure')).toHaveLength(1)
    store.cursor = cursor
  })
})
