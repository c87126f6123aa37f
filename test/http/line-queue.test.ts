import { expect, test } from 'vitest'
import { LineQueue } from '../../src/http/line-queue.ts'

const time = (number: number) => `2026-06-15T12:00:00.${String(number).padStart(6, '0')}Z`

test('it gives what was put in, in order, in about the size that is asked for', async () => {
  const queue = new LineQueue()
  for (const number of [1, 2, 3]) queue.push(time(number), `line ${number}\n`)
  queue.say('hello\n')
  expect(await queue.take(10)).toBe('hello\nline 1\n')
  expect(await queue.take(1000)).toBe('line 2\nline 3\n')
  queue.close()
  expect(await queue.take(1000)).toBeUndefined()
  expect({ taken: queue.taken, dropped: queue.dropped }).toEqual({ taken: 3, dropped: 0 })
})

test('what is put in later is waited for', async () => {
  const queue = new LineQueue()
  const taken = queue.take(1000)
  queue.push(time(1), 'late')
  expect(await taken).toBe('late')
})

test('beyond 2000 lines, or 1 MiB, the oldest go, and the hole is told before what is left', async () => {
  const queue = new LineQueue()
  for (let number = 0; number < 2010; number++) queue.push(time(number), `${number}\n`)
  const text = (await queue.take(20))!
  const hole = { count: 10, bytes: 20, from: time(0), to: time(9) }
  expect(text).toBe(`event: dropped\ndata: ${JSON.stringify(hole)}\n\n`)
  expect(await queue.take(3)).toBe('10\n')
  for (let number = 0; number < 5; number++) queue.push(time(number), 'x'.repeat(400_000))
  expect(queue.dropped).toBe(10 + 1999 + 3)
})

test('a heartbeat comes only where nothing else is on its way', async () => {
  const queue = new LineQueue()
  queue.push(time(1), 'line')
  queue.heartbeat()
  expect(await queue.take(1000)).toBe('line')
  queue.heartbeat()
  queue.heartbeat()
  expect(await queue.take(1000)).toBe(': still here\n\n')
})

test('room comes when half of it is free, or when it is closed', async () => {
  const queue = new LineQueue()
  for (let number = 0; number < 1500; number++) queue.push(time(number), '12345678')
  const waited: string[] = []
  const room = queue.room().then(() => waited.push('room'))
  await queue.take(8 * 400)
  expect(waited).toEqual([])
  await queue.take(8 * 400)
  await room
  expect(waited).toEqual(['room'])
  for (let number = 0; number < 1500; number++) queue.push(time(number), '12345678')
  const other = queue.room()
  queue.close()
  await other
})
