import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { KnownValues } from '../../../../src/record/containers/keep/known-values.ts'
import { stateFolder } from '../tail-kit.ts'

const key = new Uint8Array(32).fill(7)

test('a reader knows which of the values of today were not looked for then', async () => {
  const folder = await stateFolder()
  const first = await KnownValues.read(folder, key)
  expect(first.count).toBe(0)
  await first.add(['one', 'two'])
  expect(first.count).toBe(2)
  await first.add(['two', 'three'])
  const reader = await KnownValues.read(folder, key)
  expect(reader.count).toBe(3)
  expect(reader.unknownThen(0, ['one', 'two', 'three', 'four'])).toEqual(['one', 'two', 'three', 'four'])
  expect(reader.unknownThen(2, ['one', 'two', 'three', 'four'])).toEqual(['three', 'four'])
  expect(reader.unknownThen(3, ['one', 'two', 'three', 'four'])).toEqual(['four'])
  expect((await KnownValues.read(folder, new Uint8Array(32))).unknownThen(3, ['one'])).toEqual(['one'])
})

test('the values themselves are not on the disk', async () => {
  const folder = await stateFolder()
  await (await KnownValues.read(folder, key)).add(['correct horse battery staple'])
  expect(readFileSync(join(folder, 'values'), 'latin1')).not.toContain('horse')
})

test('of very many the first are forgotten, and count as not looked for', async () => {
  const folder = await stateFolder()
  const values = await KnownValues.read(folder, key, 10)
  await values.add(['first'])
  await values.add(Array.from({ length: 9 }, (_, index) => `value ${index}`))
  expect(values.unknownThen(10, ['first'])).toEqual([])
  await values.add(['last'])
  for (const one of [values, await KnownValues.read(folder, key)]) {
    expect(one.count).toBe(11)
    expect(one.unknownThen(11, ['first', 'value 7', 'last'])).toEqual(['first', 'value 7'])
    expect(one.unknownThen(10, ['last'])).toEqual(['last'])
  }
})
