import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Interval } from '../../src/collector.ts'
import { openEngineLog } from '../../src/sources/engine-log.ts'
import { describeWithDocker, sh } from '../helpers/docker.ts'
import { drained, onRequest, ownFolder, peer, sourceContext } from '../helpers/source.ts'

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /gm
const withoutTimes = (text: string) => text.replaceAll(time, '')

const span = (sinceMs: number, untilMs: number): Interval => ({ sinceMs, untilMs, reason: 'window' })
const inWindow = (...intervals: readonly Interval[]) => ({ intervals: async () => intervals })

describeWithDocker('the log of a container, asked from a real engine', (docker) => {
  const log = async (
    containerId: string,
    limits: Parameters<typeof sourceContext>[0] = {},
    context: Parameters<typeof sourceContext>[1] = {},
  ) => drained(await openEngineLog({ socket: docker().socket, containerId }, sourceContext(limits, context)))

  let talker: string
  beforeAll(async () => {
    talker = await docker().run('talker', { Cmd: sh('echo one; echo two >&2; printf unfinished') })
  })

  test('has a line for each line, of both streams', async () => {
    const { text, end } = await log(talker)
    expect(text.match(time)).toHaveLength(3)
    expect(withoutTimes(text).split('\n').toSorted()).toEqual([
      '',
      'stderr F two',
      'stdout F one',
      'stdout P unfinished',
    ])
    expect(end).toEqual({ outcome: 'ok' })
  })

  test('is the same by name, and for a container that still runs', async () => {
    await docker().start('runner', { Cmd: sh('echo alive; exec sleep 1000') })
    await expect.poll(async () => withoutTimes((await log('runner')).text)).toBe('stdout F alive\n')
  })

  test('of a terminal is one stream', async () => {
    const id = await docker().run('terminal', { Cmd: sh('echo one; echo two >&2'), Tty: true })
    expect(withoutTimes((await log(id)).text)).toBe('stdout F one\r\nstdout F two\r\n')
  })

  test.for([true, false])('has long lines in parts (terminal: %s)', async (Tty) => {
    const script = 'i=0; while [ $i -lt 4000 ]; do printf 0123456789; i=$((i+1)); done; echo; echo end'
    const { text } = await log(await docker().run(`long-${Tty}`, { Cmd: sh(script), Tty }))
    const lines = withoutTimes(text).replaceAll('\r', '').split('\n')
    expect(lines.map((line) => line.slice(0, 9))).toEqual(['stdout P ', 'stdout P ', 'stdout F ', 'stdout F ', ''])
    const joined = lines
      .slice(0, 3)
      .map((line) => line.slice(9))
      .join('')
    expect(joined).toBe('0123456789'.repeat(4000))
  })

  test('keeps bytes that are no UTF-8', async () => {
    const id = await docker().run('bytes', { Cmd: ['printf', String.raw`a\377\001b\n`] })
    const { bytes } = await log(id)
    // The engine's own json-file driver has replaced them already; what it sends arrives as it is.
    expect(bytes.subarray(31).toString()).toBe('stdout F a\uFFFD\u0001b\n')
  })

  test('is empty outside the window, and never asked twice where spans overlap', async () => {
    const nowMs = Date.now()
    expect(await log(talker, {}, inWindow(span(0, nowMs - 3_600_000)))).toMatchObject({
      text: '',
      end: { outcome: 'ok' },
    })
    const overlapping = inWindow(span(nowMs - 60_000, nowMs + 1000), span(nowMs - 3_600_000, nowMs + 1000))
    expect((await log(talker, {}, overlapping)).text.split('\n')).toHaveLength(4)
  })

  test('says which times between two spans are left out', async () => {
    const slow = await docker().run('slow', { Cmd: sh('echo one; sleep 1; echo two; sleep 1; echo three') })
    const stamps = (await log(slow)).text.match(time)!.map((stamp) => Date.parse(stamp.trim()))
    const spans = [stamps[2]!, stamps[0]!].map((ms) => span(ms, ms))
    const { text } = await log(slow, {}, inWindow(...spans))
    expect(withoutTimes(text)).toMatch(
      /^stdout F one\n… diagd: lines between \S+Z and \S+Z are outside the window …\nstdout F three\n$/,
    )
  })

  test('over the limit keeps its beginning and its newest lines', async () => {
    const id = await docker().run('much', { Cmd: ['seq', '1', '20000'] })
    const { text, end } = await log(id, { entryBytes: 100_000, headBytes: 1000 })
    const lines = withoutTimes(text).split('\n')
    expect(lines[0]).toBe('stdout F 1')
    expect(lines.filter((line) => line.startsWith('… diagd: lines left out here'))).toHaveLength(1)
    expect(lines.slice(-3)).toEqual(['stdout F 19999', 'stdout F 20000', ''])
    expect(text.length).toBeGreaterThan(95_000)
    expect(text.length).toBeLessThanOrEqual(100_000)
    expect(end).toMatchObject({ outcome: 'partial' })
  })

  test('is skipped where its driver cannot be read', async () => {
    const id = await docker().run('silent', { Cmd: ['echo', 'x'], HostConfig: { LogConfig: { Type: 'none' } } })
    await expect(log(id)).rejects.toMatchObject({
      outcome: 'skipped',
      message: 'the engine cannot hand out this log: configured logging driver does not support reading',
    })
  })

  test('fails for a container that is gone', async () => {
    await expect(log('nobody')).rejects.toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('No such container: nobody') as string,
    })
  })
})

describe('an engine in trouble', () => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
  const line = '2026-11-21T09:34:09.123456789Z hello\n'
  const frame = Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, line.length]), Buffer.from(line)])
  const chunk = (bytes: Buffer) =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])

  test('that closes in the middle of the log costs what had not come', async () => {
    const { path } = await peer(join(await ownFolder(), 'd.sock'), (socket) =>
      onRequest(socket, () => {
        socket.write(head)
        socket.end(chunk(Buffer.concat([frame, frame.subarray(0, -3)])))
      }),
    )
    const { text, end } = await drained(await openEngineLog({ socket: path, containerId: 'a' }, sourceContext()))
    expect(withoutTimes(text)).toBe('stdout F hello\nstdout P hel\n')
    expect(end).toMatchObject({ outcome: 'partial', detail: expect.stringContaining('broke off') as string })
  })

  test('that falls silent in the middle of the log times out, and keeps what came', async () => {
    const { path, allClosed } = await peer(join(await ownFolder(), 'd.sock'), (socket) =>
      onRequest(socket, () => {
        socket.write(head)
        socket.write(chunk(frame))
      }),
    )
    const opened = await openEngineLog({ socket: path, containerId: 'a' }, sourceContext({ stallMs: 50 }))
    const { text, end } = await drained(opened)
    expect(withoutTimes(text)).toBe('stdout F hello\n')
    expect(end).toMatchObject({
      outcome: 'timeout',
      detail: expect.stringContaining('said nothing for 50 ms') as string,
    })
    await allClosed()
  })

  test('that cannot read all of it says so, and keeps the rest', async () => {
    const trouble = 'Error grabbing logs: unexpected EOF\n'
    const told = Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 0, trouble.length]), Buffer.from(trouble)])
    const { path } = await peer(join(await ownFolder(), 'd.sock'), (socket) =>
      onRequest(socket, () => {
        socket.write(head)
        socket.write(chunk(Buffer.concat([frame, told])))
        socket.end('0\r\n\r\n')
      }),
    )
    const { text, end } = await drained(await openEngineLog({ socket: path, containerId: 'a' }, sourceContext()))
    expect(withoutTimes(text)).toBe('stdout F hello\n')
    expect(end).toEqual({ outcome: 'partial', detail: `the engine says: ${trouble.trim()}` })
  })

  test('that sends something else fails', async () => {
    const { path } = await peer(join(await ownFolder(), 'd.sock'), (socket) =>
      onRequest(socket, () => {
        socket.write(head)
        socket.end(
          `${chunk(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9])).toString('latin1')}0\r\n\r\n`,
        )
      }),
    )
    const { end } = await drained(await openEngineLog({ socket: path, containerId: 'a' }, sourceContext()))
    expect(end).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('not a log stream') as string })
  })

  test('that sends something else half-way costs what follows', async () => {
    const { path } = await peer(join(await ownFolder(), 'd.sock'), (socket) =>
      onRequest(socket, () => {
        socket.write(head)
        socket.write(chunk(Buffer.concat([frame, Buffer.from('<html>no such page</html>')])))
        socket.end('0\r\n\r\n')
      }),
    )
    const { text, end } = await drained(await openEngineLog({ socket: path, containerId: 'a' }, sourceContext()))
    expect(withoutTimes(text)).toContain('stdout F hello\n')
    expect(end).toMatchObject({ outcome: 'partial', detail: expect.stringContaining('not a log stream') as string })
  })

  test('is left alone when nobody reads', async () => {
    const { path, allClosed } = await peer(join(await ownFolder(), 'd.sock'), (socket) =>
      onRequest(socket, () => {
        socket.write(head)
        socket.write(chunk(frame))
      }),
    )
    const opened = await openEngineLog({ socket: path, containerId: 'a' }, sourceContext())
    await opened.chunks.return({ outcome: 'ok' })
    await allClosed()
  })

  test('is asked for nothing without a window', async () => {
    const { path, connections } = await peer(join(await ownFolder(), 'd.sock'), () => {})
    const opened = await openEngineLog({ socket: path, containerId: 'a' }, sourceContext({}, inWindow()))
    expect(await drained(opened)).toMatchObject({ text: '', end: { outcome: 'ok' } })
    expect(connections()).toBe(0)
  })
})
