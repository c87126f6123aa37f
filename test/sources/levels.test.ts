import { expect, test } from 'vitest'
import { levelInText } from '../../src/sources/levels.ts'

test.each([
  ['{"time":"2026-01-02","level":"warn","msg":"x"}', 'warning'],
  ['time=2026-01-02T03:04:05Z level=error msg="it failed"', 'error'],
  ['ts=1 severity="CRITICAL" text', 'critical'],
  ['[ERROR] no', 'error'],
  ['2026-01-02 03:04:05.123 [notice] 12#12: start', 'info'],
  ['<debug> x', 'debug'],
  ['E0615 12:00:00.123456       1 main.go:12] no', 'error'],
  ['2026-06-15 12:00:00,123 WARNING app: odd', 'warning'],
  ['2026-06-15T12:00:00Z FATAL: out of it', 'critical'],
  ['ERROR: x', 'error'],
  ['an error occurred, level unknown', undefined],
  ['no ERRORS here', undefined],
  ['GET /error/warn?level=1 200', undefined],
  ['', undefined],
  [`${'x '.repeat(200)}[ERROR]`, undefined],
])('%j', (text, level) => {
  expect(levelInText(text)).toBe(level)
})
