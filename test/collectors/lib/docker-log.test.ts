import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isDenied, parseEngineLog, transfersIn } from '../../../collectors/lib/docker-log.ts'
import { fixture } from '../../helpers/kit.ts'

/** Of dockerd 20.10: two pulls of what is not there, then two pushes that a registry refuses. */
const recorded = (name: string) => parseEngineLog(readFileSync(fixture('docker', name), 'utf8'))
const seconds = (from: number, to: number) => Math.round((to - from) / 1000)

test('lines are taken apart: time, level, message, and the error beside it', () => {
  const [first, ...rest] = recorded('denied-pushes.log')
  expect(first).toEqual({ timeMs: Date.UTC(2026, 10, 21, 20, 27, 52, 858), level: 'info', message: 'Starting up' })
  expect(rest).toContainEqual(expect.objectContaining({ level: 'error', message: 'Upload failed: denied' }))
  const nested = String.raw`time="2026-11-21T20:27:52Z" level=warning msg="a \"b\"" error="c\nd" module=grpc`
  expect(parseEngineLog(`noise\n${nested}\n`)).toMatchObject([{ message: 'a "b"', error: 'c\nd' }])
})

describe('a log of level debug', () => {
  test('names each pull and push, when it began, how long it took, how often it was tried and why it failed', () => {
    const found = transfersIn(recorded('denied-pushes-debug.log'))
    const rows = found.map(({ what, image, error, attempts, fromStart, startedMs, endedMs }) => {
      return [what, image, error, attempts, fromStart, seconds(startedMs, endedMs)]
    })
    const notFound = 'Get "https://ghcr.invalid/v2/": dial tcp: lookup ghcr.invalid on 127.0.0.53:53: no such host'
    expect(rows).toEqual([
      ['pull', '127.0.0.1:5000/ok/app:devcontainer-cache', 'manifest unknown', 0, true, 1],
      ['pull', 'ghcr.invalid/ok/app:latest', notFound, 0, true, 0],
      ['push', '127.0.0.1:5000/denied/app:devcontainer-cache', 'denied', 5, true, 54],
      ['push', '127.0.0.1:5000/auth/app:devcontainer-cache-gpu', 'unauthorized', 5, true, 50],
    ])
  })

  test('of an engine that writes the request beside its message says the same', () => {
    const line = (msg: string, rest: string) => `time="2026-11-21T20:27:52Z" level=debug msg="${msg}" ${rest}\n`
    const text =
      line('handling POST request', 'method=POST module=api request-url="/v1.47/images/ghcr.io/o/r/push?tag=t"') +
      line('Not continuing with push after error', 'error="denied: permission_denied"')
    expect(transfersIn(parseEngineLog(text))).toMatchObject([
      { what: 'push', image: 'ghcr.io/o/r:t', error: 'denied: permission_denied' },
    ])
  })

  test('has one that worked, too, without an error', () => {
    const text =
      'time="2026-11-21T20:27:52Z" level=debug msg="Calling POST /v1.41/images/create?fromImage=busybox&tag=1"\n'
    const [worked] = transfersIn(parseEngineLog(text))
    expect(worked).toMatchObject({ what: 'pull', image: 'busybox:1' })
    expect(worked).not.toHaveProperty('error')
  })
})

describe('a log without debug', () => {
  test('has those that failed, without name and beginning', () => {
    const found = transfersIn(recorded('denied-pushes.log'))
    expect(found.map(({ what, error, attempts }) => [what, error?.slice(0, 16), attempts])).toEqual([
      ['pull', 'manifest unknown', 0],
      ['pull', 'Get "https://ghc', 0],
      ['push', 'denied', 5],
      ['push', 'unauthorized', 5],
    ])
    expect(found.every(({ fromStart, image }) => !fromStart && image === undefined)).toBe(true)
  })

  test('does not join failures that are minutes apart', () => {
    const failed = (time: string) => `time="2026-11-21T${time}Z" level=error msg="Upload failed, retrying: denied"\n`
    expect(transfersIn(parseEngineLog(failed('20:00:00') + failed('20:00:20') + failed('20:05:00')))).toMatchObject([
      { attempts: 2 },
      { attempts: 1 },
    ])
  })
})

test('a refusal is told from what is not there, and from a network that does not work', () => {
  const refused = [
    'denied: requested access to the resource is denied',
    'unauthorized',
    'unexpected status: 403 Forbidden',
  ]
  expect(refused.filter(isDenied)).toEqual(refused)
  expect(['manifest unknown', 'dial tcp: lookup ghcr.io: no such host', 'i/o timeout'].filter(isDenied)).toEqual([])
})
