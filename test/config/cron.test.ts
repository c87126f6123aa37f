import { Cron } from 'croner'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkCron } from '../../src/config/cron.ts'
import { parseUploadsKey } from '../../src/config/uploads.ts'

test.each([
  '0 3 * * *',
  '*/15 * * * *',
  '30 4 * * * *',
  '0 8-18/2 * * MON-FRI',
  '0 0 L * *',
  '0 0 1,15 jan,JUL 1',
  '0 9 * * MON#1',
  '5 4 * * 7',
  '0 0 29 2 *',
  '0 0 31 2-3 *',
  '0 0 31 2 MON',
])('%s is accepted', (text) => {
  expect(() => checkCron(text)).not.toThrow()
})

test.each([
  ['61 * * * *', '"61" as minute'],
  ['0 24 * * *', '"24" as hour'],
  ['0 0 0 * *', '"0" as day of the month'],
  ['0 0 * 13 *', '"13" as month'],
  ['0 0 * * 8', '"8" as day of the week'],
  ['0 0 * * MON#6', '"MON#6"'],
  ['5/5 * * * *', '"5/5" as minute'],
  ['*/0 * * * *', '"*/0"'],
  ['18-8 * * * *', '"18-8"'],
  ['1--2 * * * *', '"1--2"'],
  [', * * * *', '","'],
  ['* * * *', '"* * * *"'],
  ['* * * * * * *', '"* * * * * * *"'],
  ['@daily', '"@daily"'],
  ['every day', '"every day"'],
])('%s is refused, with the part that is wrong and what is accepted', (text, part) => {
  expect(() => checkCron(text)).toThrow(`is not a cron expression: ${part}`)
  expect(() => checkCron(text)).toThrow('accepted: five fields')
  expect(() => parseUploadsKey({ target: 's3://bucket/', schedule: text })).toThrow(
    /schedule .*is not a cron expression/,
  )
})

test.each([
  ['0 0 31 2 *', '"31" as day of the month, and "2" as month has 29 days at most'],
  ['0 0 0 30 FEB *', '"30" as day of the month, and "FEB" as month has 29 days'],
  ['0 0 31 4,jun,9-11/2 *', '"31" as day of the month, and "4,jun,9-11/2" as month has 30 days'],
])('%s is refused, for it never comes', (text, words) => {
  expect(() => checkCron(text)).toThrow(`${JSON.stringify(text)} never comes: ${words}`)
  expect(() => parseUploadsKey({ target: 's3://bucket/', schedule: text })).toThrow(
    `has a wrong part: schedule ${JSON.stringify(text)} never comes`,
  )
})

test('what is refused for it never comes is what has no next time, and nothing else', () => {
  const day = fc.integer({ min: 1, max: 31 })
  const days = fc.oneof(
    fc.tuple(fc.constantFrom(28, 29, 30, 31), day).map(([from, to]) => (to < from ? `${from}` : `${from}-${to}`)),
    fc.constantFrom('L', '*/31', '30,31', '31', '31,L', '29-31/2', '30-31/2'),
  )
  const month = fc.constantFrom('FEB', '2', '2', '4', 'jun', '9', '11', '1', '*', '2-6/2', '4-6')
  const months = fc.array(month, { minLength: 1, maxLength: 2 }).map((items) => items.join(','))
  const weekdays = fc.constantFrom('*', '*', '*', '*', '*', '*/1', 'MON', '*,*', 'MON#5')
  const seen = { never: 0, some: 0 }
  fc.assert(
    fc.property(days, months, weekdays, (...parts) => {
      const text = `0 0 ${parts.join(' ')}`
      const next = new Cron(text, { paused: true, timezone: 'UTC' }).nextRun(new Date('2026-06-15'))
      seen[next ? 'some' : 'never'] += 1
      if (next) expect(() => checkCron(text)).not.toThrow()
      else expect(() => checkCron(text)).toThrow('never comes')
    }),
    { numRuns: 1000 },
  )
  expect(Math.min(seen.never, seen.some)).toBeGreaterThan(20)
})

test('what is accepted is understood by what computes the times', () => {
  const number = fc.integer({ min: 0, max: 62 }).map(String)
  const value = fc.oneof(number, fc.constantFrom('*', 'L', 'MON', 'feb', 'sun', '7'))
  const range = fc.oneof(
    value,
    fc.tuple(value, value).map(([from, to]) => `${from}-${to}`),
  )
  const item = fc.oneof(
    range,
    fc.tuple(range, number).map(([of, step]) => `${of}/${step}`),
    fc.tuple(value, number).map(([day, nth]) => `${day}#${nth}`),
  )
  const field = fc.array(item, { minLength: 1, maxLength: 2 }).map((items) => items.join(','))
  let accepted = 0
  const one = fc.tuple(fc.constantFrom(0, 1, 2, 3, 4, 5), field, fc.boolean())
  fc.assert(
    fc.property(one, ([index, text, hasSeconds]) => {
      const fields = ['0', '0', '0', '1', '1', '*']
      fields[index] = text
      const cron = fields.slice(hasSeconds || index === 0 ? 0 : 1).join(' ')
      try {
        checkCron(cron)
      } catch {
        return
      }
      accepted += 1
      expect(() => new Cron(cron, { paused: true, mode: '5-or-6-parts' })).not.toThrow()
    }),
    { numRuns: 5000 },
  )
  expect(accepted).toBeGreaterThan(200)
})
