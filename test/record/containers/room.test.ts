/** What all containers together may take. */
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createKept } from '../../../src/record/containers/kept.ts'
import { makeRoom } from '../../../src/record/containers/thread/room.ts'
import { batch, numbersIn, openWriter, textOf, upTo } from './kit.ts'
import { stateFolder } from './tail-kit.ts'

/** A container whose log is sealed, some 5 files of 100 kB, the last of them at that time. */
function makeContainer(state: string, name: string, seconds: number, facts: object = {}): string {
  const folder = join(state, 'containers', 'rootful', name)
  const writer = openWriter(folder, { maxBytes: 1024 * 1024 })
  for (let index = 0; index < 300; index++) writer.append(batch(writer, index * 100, 100))
  writer.seal()
  writer.close()
  for (const file of readdirSync(folder)) utimesSync(join(folder, file), seconds, seconds)
  writeFileSync(
    join(folder, 'state.json'),
    JSON.stringify({ id: name, name, engine: 'rootful', state: 'exited', ...facts }),
  )
  return folder
}

const none = () => false

test('the oldest lines go, of whichever container, and where they were it says how many', async () => {
  const state = await stateFolder()
  const folder = join(state, 'containers')
  const [old, young] = [makeContainer(state, 'old', 1000), makeContainer(state, 'young', 2000)]
  const all = makeRoom({ folder, maxBytes: 1e9, maxRemoved: 10 }, none)
  expect(all).toMatchObject({ forgotten: 0, cap: 0 })
  const less = makeRoom({ folder, maxBytes: all.keptBytes - 1, maxRemoved: 10 }, none)
  expect(less.keptBytes).toBeLessThan(all.keptBytes)
  const text = await textOf(old)
  const kept = numbersIn(text)
  expect(kept.length).toBeLessThan(30_000)
  expect(less.cap).toBe(30_000 - kept.length)
  expect(kept).toEqual(upTo(30_000).slice(30_000 - kept.length))
  expect(text).toMatch(new RegExp(`^… ${30_000 - kept.length} lines dropped \\(cap\\) before `))
  expect(numbersIn(await textOf(young))).toHaveLength(30_000)
  const list = await createKept(state).list()
  expect(list.find(({ name }) => name === 'old')!.log).toMatchObject({
    lines: 30_000,
    dropped: { cap: 30_000 - kept.length },
  })
})

test('of a log that is gone as a whole it still says how much it was', async () => {
  const state = await stateFolder()
  const folder = join(state, 'containers')
  const [old, young] = [makeContainer(state, 'old', 1000), makeContainer(state, 'young', 2000)]
  makeRoom({ folder, maxBytes: 1, maxRemoved: 10 }, (one) => one === young)
  expect(await textOf(old)).toMatch(/^… 30000 lines dropped \(cap\)/)
  // The file that is written is never taken away.
  expect(numbersIn(await textOf(young)).length).toBeGreaterThan(0)
  const one = (await createKept(state).list()).find(({ name }) => name === 'old')
  expect(one!.log).toMatchObject({ lines: 30_000, dropped: { cap: 30_000 } })
})

test('of containers that are gone, those that went first are forgotten', async () => {
  const state = await stateFolder()
  const folder = join(state, 'containers')
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries())
    makeContainer(state, name, 1000, name === 'a' ? {} : { state: 'removed', removedMs: 10 - index })
  expect(makeRoom({ folder, maxBytes: 1e9, maxRemoved: 1 }, none).forgotten).toBe(2)
  expect((await createKept(state).list()).map(({ name }) => name)).toEqual(['a', 'b'])
})
