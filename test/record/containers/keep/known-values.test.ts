import { readFileSync, rmSync, writeFileSync } from 'node:fs'
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

test('the least number that covers some values; none does when one was never looked for', async () => {
  const values = await KnownValues.read(await stateFolder(), key)
  await values.add(['one', 'two', 'three'])
  expect(values.covering([])).toBe(0)
  expect(values.covering(['one'])).toBe(1)
  expect(values.covering(['three', 'one'])).toBe(3)
  expect(values.covering(['one', 'four'])).toBe(Infinity)
})

test('who does not look for all of them counts as one who knows those before the first that is missing', async () => {
  const folder = await stateFolder()
  const values = await KnownValues.read(folder, key)
  await values.add(['one', 'two', 'three'])
  expect(values.knownTo(['one', 'two', 'three', 'four'])).toBe(3)
  expect(values.knownTo(['one', 'three'])).toBe(1)
  expect(values.knownTo([])).toBe(0)
  await values.keepOnly(['one', 'three'])
  for (const one of [values, await KnownValues.read(folder, key)]) {
    expect(one.count).toBe(3)
    expect(one.knownTo(['one', 'three'])).toBe(3)
    expect(one.unknownThen(3, ['one', 'two', 'three'])).toEqual(['two'])
  }
  await values.add(['two'])
  expect((await KnownValues.read(folder, key)).covering(['two'])).toBe(4)
})

test('what is added at the same time has one number, in the order of the calls', async () => {
  const folder = await stateFolder()
  const values = await KnownValues.read(folder, key)
  await Promise.all([values.add(['one', 'two']), values.add(['two', 'three']), values.add(['one']), values.add([])])
  for (const one of [values, await KnownValues.read(folder, key)]) {
    expect(one.count).toBe(3)
    expect(['one', 'two', 'three'].map((value) => one.covering([value]))).toEqual([1, 2, 3])
  }
})

test('what could not be kept is not known, and is kept with the next', async () => {
  const folder = await stateFolder()
  const values = await KnownValues.read(join(folder, 'file', 'containers'), key)
  writeFileSync(join(folder, 'file'), '')
  await expect(values.add(['one'])).rejects.toThrow('ENOTDIR')
  expect([values.count, values.covering(['one'])]).toEqual([0, Infinity])
  rmSync(join(folder, 'file'))
  await values.add(['one'])
  expect(values.covering(['one'])).toBe(1)
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
