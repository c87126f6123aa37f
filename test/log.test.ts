import { expect, test } from 'vitest'
import { createLog } from '../src/log.ts'

function output() {
  const written: string[] = []
  const stream = {
    writableLength: 0,
    write(text: string) {
      written.push(text)
      return true
    },
  }
  return { stream, written }
}

test('writes JSON lines with a time in UTC and the name of the level', () => {
  const { stream, written } = output()
  createLog('info', stream).logger.info({ bundleId: 'b' }, 'hello')
  expect(JSON.parse(written[0]!)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    bundleId: 'b',
    msg: 'hello',
  })
  expect(written[0]).toMatch(/\}\n$/)
})

test('writes plain lines to a terminal, and nothing that plays with it', () => {
  const { stream, written } = output()
  createLog('info', stream, 'terminal').logger.warn({ path: '/a', count: 3 }, 'hello \u001b[2J')
  expect(written[0]).toMatch(/^\d\d:\d\d:\d\d WARN {2}hello \\x1b\[2J path=\/a count=3\n$/)
})

test.each([
  ['debug', 7],
  ['info', 6],
  ['warn', 4],
  ['error', 3],
  ['fatal', 2],
] as const)('writes lines to the journal with their priority and without a time: %s', (level, priority) => {
  const { stream, written } = output()
  createLog('debug', stream, 'journal').logger[level]({ path: '/a', count: 3 }, 'hello\n<0>forged')
  expect(written).toEqual([`<${priority}>hello\\x0a<0>forged path=/a count=3\n`])
})

test('keeps the newest lines for the bundle, and no more than 256 KiB', () => {
  const log = createLog('info', output().stream)
  for (let line = 0; line < 3000; line++) log.logger.info(`${line} ${'x'.repeat(100)}`)
  const lines = log.newest().trim().split('\n')
  expect(log.newest().length).toBeLessThanOrEqual(256 * 1024)
  expect(log.newest().length).toBeGreaterThan(255 * 1024)
  expect((JSON.parse(lines.at(-1)!) as { msg: string }).msg).toMatch(/^2999 /)
  expect((JSON.parse(lines[0]!) as { msg: string }).msg).toMatch(new RegExp(`^${3000 - lines.length} `))
})

test('nobody reads the log: lines are dropped, counted and kept for the bundle', () => {
  const { stream, written } = output()
  const log = createLog('info', stream)
  stream.writableLength = 2 * 1024 * 1024
  log.logger.info('first')
  log.logger.info('second')
  expect(written).toEqual([])
  stream.writableLength = 0
  log.logger.info('third')
  expect(written.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    '2 lines of the log were dropped: nobody read them',
    'third',
  ])
  expect(log.newest().trim().split('\n')).toHaveLength(3)
})
