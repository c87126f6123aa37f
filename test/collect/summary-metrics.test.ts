import { expect, test } from 'vitest'
import { standsOut } from '../../src/collect/summary-metrics.ts'
import { testKit } from '../helpers/kit.ts'
import { BROKEN, FILLED, HOGGED, IDLE, kitOf, NEW, STORMY } from '../collectors/lib/metrics-overview/days.ts'

test('the gravest two, how many more there are, and where', async () => {
  expect(await standsOut(kitOf(HOGGED))).toEqual([
    'Out of memory in container worker: 6 processes were killed, the last at 11:57',
    'Memory in use: 99 % at 07:18, over 95 % for 6 min. Largest then: java (4711) 6.1 GiB',
    '… and 5 more: metrics/overview.txt',
  ])
})

test('one thing is said alone', async () => {
  const full = 'Disk /data, space used: 100 % at 09:00, over 95 % for 3 h 24 min, and still'
  expect(await standsOut(kitOf(FILLED))).toEqual([full, 'see metrics/overview.txt'])
  const [steal] = await standsOut(kitOf(NEW))
  expect(steal).toMatch(/^CPU taken for other machines \(steal\): \d+ % at 11:\d\d, over 10 % for 20 min, and still$/)
})

test('times without numbers count, boots and errors are told elsewhere', async () => {
  const told = await standsOut(kitOf(BROKEN))
  expect(told[1]).toBe('No numbers: suspended 5 h, 16:00 to 21:00; diagd not running 40 min, 10:00 to 10:40')
  expect(told.join('\n')).not.toMatch(/Booted|Errors/)
})

test('where all is well there is no line', async () => {
  expect(await standsOut(kitOf(IDLE))).toEqual([])
})

test('never more than three lines', async () => {
  expect(await standsOut(kitOf(STORMY))).toHaveLength(3)
})

test('where nothing is measured it says why', async () => {
  await expect(standsOut(testKit({ root: '/nonexistent' }))).rejects.toThrow('nothing is measured')
})
