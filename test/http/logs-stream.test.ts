import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { FollowStep } from '../../src/collect/logs/follow.ts'
import type { LogReader } from '../../src/collect/logs/reader.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { depsOf, openDoors } from '../helpers/http.ts'
import { messagesOf, openSse, type SentEvent } from '../helpers/sse.ts'
import { canMakeJournals } from '../record/helpers/journals.ts'
import { cloudInit, entry, machine, type Machine } from '../collect/logs/kit.ts'

const SECOND = 1_000_000
/** A busy machine takes its time; nothing is asserted about it. */
const PATIENT = { timeout: 30_000 }

async function served(logs: LogReader, over: Parameters<typeof depsOf>[0] = {}) {
  const config = { ...depsOf().config, auth: 'none' as const }
  const doors = await openDoors(depsOf({ logs, config, ...over }))
  onTestFinished(() => doors.close())
  return doors
}

const has = (message: string) => (events: readonly SentEvent[]) => messagesOf(events).includes(message)
const isCaughtUp = (events: readonly SentEvent[]) => events.some(({ event }) => event === 'caught-up')

describe.skipIf(!canMakeJournals)('a stream of the logs', () => {
  test('is a stream of server-sent events that begins with what comes', async () => {
    const box = machine()
    box.journal([entry(0, 'old')])
    const client = await openSse((await served(box.reader)).socket, '/logs/stream')
    expect(client.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    await client.until(isCaughtUp)
    box.journal([entry(soon(), 'new')])
    await client.until(has('new'))
    box.file('var/log/cloud-init.log', cloudInit(0, 'fresh'))
    await client.until(has('util.py[DEBUG]: fresh'))
    expect(messagesOf(client.events)).toEqual(['new', 'util.py[DEBUG]: fresh'])
  })

  test('can begin with the newest lines, and with a time', async () => {
    const box = machine()
    box.journal(Array.from({ length: 20 }, (_, index) => entry(index * SECOND, `line ${index}`)))
    const { tcp } = await served(box.reader)
    const newest = await openSse(tcp, '/logs/stream?lines=2')
    await newest.until(isCaughtUp)
    expect(messagesOf(newest.events)).toEqual(['line 18', 'line 19'])
    const since = await openSse(tcp, '/logs/stream?since=2026-06-15T12:00:17Z')
    await since.until(isCaughtUp)
    expect(messagesOf(since.events)).toEqual(['line 17', 'line 18', 'line 19'])
    box.journal([entry(soon(), 'new')])
    await Promise.all([newest.until(has('new')), since.until(has('new'))])
    expect(messagesOf(newest.events)).toEqual(['line 18', 'line 19', 'new'])
    expect(messagesOf(since.events)).toEqual(['line 17', 'line 18', 'line 19', 'new'])
  })

  test('goes on behind Last-Event-ID, each line once, though it was rotated in between', async () => {
    const box = machine()
    const first = box.journal(Array.from({ length: 50 }, (_, index) => entry(Math.floor(index / 5), `line ${index}`)))
    const log = box.file('var/log/cloud-init.log', cloudInit(0, 'cloud 0'))
    const { socket } = await served(box.reader)
    const path = '/logs/stream?since=2026-06-15T12:00:00Z'
    const seen: string[] = []
    let last: string | undefined
    const follow = async (enough: (events: readonly SentEvent[]) => boolean, cutAt = Infinity) => {
      const client = await openSse(socket, path, last === undefined ? {} : { 'last-event-id': last })
      await client.until(enough)
      const events = client.events.filter(({ event }) => event === 'message').slice(0, cutAt)
      client.close()
      seen.push(...messagesOf(events))
      last = events.at(-1)?.id ?? last
    }
    await follow(has('line 20'), 12)
    await follow(has('line 40'), 13)
    renameSync(first, first.replace('system', 'system@1'))
    renameSync(log, `${log}.1`)
    box.file('var/log/cloud-init.log', cloudInit(1, 'cloud 1'))
    box.journal(Array.from({ length: 5 }, (_, index) => entry(SECOND + index, `more ${index}`)))
    await follow(has('more 4'))
    box.journal([entry(2 * SECOND, 'end')])
    await follow(has('end'))
    const cloud = seen.filter((message) => message.includes('cloud'))
    expect(cloud).toEqual(['util.py[DEBUG]: cloud 0', 'util.py[DEBUG]: cloud 1'])
    expect(seen.filter((message) => !message.includes('cloud'))).toEqual([
      ...Array.from({ length: 50 }, (_, index) => `line ${index}`),
      ...Array.from({ length: 5 }, (_, index) => `more ${index}`),
      'end',
    ])
  })

  test('masks what comes, also a key whose lines come one by one', async () => {
    const box = machine()
    box.journal([entry(0, 'old')])
    const client = await openSse((await served(box.reader)).tcp, '/logs/stream')
    await client.until(isCaughtUp)
    const body = Array.from({ length: 6 }, (_, i) => `Qm${i}kV9xT2`.padEnd(64, 'aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z'))
    for (const [i, line] of ['-----BEGIN RSA PRIVATE KEY-----', ...body, 'DB_PASSWORD=Zq8vT1xW5nLk'].entries()) {
      box.journal([entry(soon(), line)])
      await client.until((events) => messagesOf(events).length > i)
    }
    const text = messagesOf(client.events).join('\n')
    for (const line of body) expect(text).not.toContain(line)
    expect(text).toContain('DB_PASSWORD=<masked:password:')
  })

  test('masks a key whose first line is gone, and lets go of what only looks like one', async () => {
    const box = machine()
    box.journal([entry(0, 'old')])
    const client = await openSse((await served(box.reader)).tcp, '/logs/stream')
    await client.until(isCaughtUp)
    const body = Array.from({ length: 6 }, (_, i) => `Rn${i}kV9xT2`.padEnd(64, 'aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z'))
    box.journal([...body, '-----END RSA PRIVATE KEY-----'].map((line) => entry(soon(), line)))
    await client.until(has('-----END RSA PRIVATE KEY-----'))
    for (const line of body) expect(messagesOf(client.events).join('\n')).not.toContain(line)
    // Nothing comes behind it.
    const other = 'Wz7kV9xT2'.padEnd(64, 'aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z')
    box.journal([entry(soon(), other)])
    await client.until(has(other))
  })

  test('shows only what is asked for', async () => {
    const box = machine()
    box.journal([entry(0, 'old')])
    const client = await openSse((await served(box.reader)).tcp, '/logs/stream?unit=web&level=warning&search=OH')
    await client.until(isCaughtUp)
    const web = { _SYSTEMD_UNIT: 'web.service', PRIORITY: '4' }
    box.journal([
      entry(soon(), 'oh no'),
      entry(soon(), 'oh yes', { ...web, PRIORITY: '6' }),
      entry(soon(), 'well', web),
      entry(soon(), 'oh dear', web),
    ])
    await client.until(has('oh dear'))
    expect(messagesOf(client.events)).toEqual(['oh dear'])
  })

  test('of a client that vanished leaves no process behind', async () => {
    const box = machine()
    box.journal([entry(0, 'old')])
    const { tcp } = await served(box.reader)
    const client = await openSse(tcp, '/logs/stream')
    await client.until(isCaughtUp)
    await expect.poll(() => journalctlsOf(box), PATIENT).toBe(1)
    client.close()
    await expect.poll(() => journalctlsOf(box), PATIENT).toBe(0)
  })

  test('goes on when journalctl was killed', async () => {
    const box = machine()
    box.journal([entry(0, 'old')])
    const client = await openSse((await served(box.reader)).tcp, '/logs/stream?since=2026-06-15T12:00:00Z')
    await client.until(isCaughtUp)
    await expect.poll(() => journalctlsOf(box), PATIENT).toBe(1)
    for (const pid of pidsOf(box)) process.kill(pid, 'SIGKILL')
    box.journal([entry(SECOND, 'new')])
    await client.until(has('new'))
    expect(messagesOf(client.events)).toEqual(['old', 'new'])
  })

  test('is read by curl, and ends with a word when the daemon stops', async () => {
    const daemon = await startDaemon()
    const child = spawn('curl', ['-sN', '--unix-socket', daemon.socket, 'http://localhost/logs/stream'])
    onTestFinished(() => void child.kill())
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const ended = once(child, 'close')
    await expect.poll(() => text, PATIENT).toContain('event: caught-up')
    expect((await daemon.stop()).code).toBe(0)
    expect(await ended).toEqual([0, null])
    expect(text).toMatch(/event: end\ndata: \{"reason":"diagd stops"\}\n\n$/)
  })
})

describe('a reader that is slow', () => {
  test('misses the oldest, is told how many and of which times, and gets what is left', async () => {
    const count = 100_000
    const fast = burst(count)
    const doors = await served(fast.reader)
    // By hand: the response is not read at all until the source is done.
    const client = connect(Number(new URL(doors.tcp).port), '127.0.0.1')
    onTestFinished(() => void client.destroy())
    client.pause()
    client.write('GET /logs/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await fast.done
    let text = ''
    client.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    client.resume()
    await expect.poll(() => text, PATIENT).toContain(`"message":"line ${count - 1} `)
    const lines = [...text.matchAll(/"message":"line (\d+) /g)].map(([, number]) => Number(number))
    const holes = [...text.matchAll(/event: dropped\ndata: (\{.*\})/g)].map(
      ([, data]) => JSON.parse(data!) as { count: number; from: string; to: string; bytes: number },
    )
    expect(lines).toEqual(lines.toSorted((a, b) => a - b))
    expect(lines.length).toBeLessThan(count)
    expect(lines.length + holes.reduce((sum, hole) => sum + hole.count, 0)).toBe(count)
    // In its place: every hole is between the lines before and behind it.
    const numbers = new Set(lines)
    for (const { from, to, count: missing, bytes } of holes) {
      const [first, last] = [from, to].map(numberAt)
      expect(last! - first! + 1).toBe(missing)
      expect(numbers.has(first! - 1) || first === 0).toBe(true)
      expect(numbers.has(last! + 1)).toBe(true)
      expect(bytes).toBeGreaterThan(missing * 200)
      expect(text.indexOf(`"to":"${to}"`)).toBeLessThan(text.indexOf(`"message":"line ${last! + 1} `))
    }
  })

  test('at 1 kB/s holds up nobody: the source runs on, another reader misses nothing', async () => {
    const slow = burst(20_000, 50)
    // As fast as its reader takes it: no machine is too busy for that.
    const keepsUp = Promise.withResolvers<Awaited<ReturnType<typeof openSse>>>()
    const quick = burst(20_000, 50, async (number) => {
      const reader = await keepsUp.promise
      await reader.until(({ length }) => length >= number - 500)
    })
    const doors = await served({
      ...slow.reader,
      follow: (wish, signal) => (wish.lines ? slow : quick).reader.follow(wish, signal),
    })
    const limited = spawn('curl', ['-sN', '--limit-rate', '1k', `${doors.tcp}/logs/stream?lines=1`], {
      stdio: 'ignore',
    })
    onTestFinished(() => void limited.kill('SIGKILL'))
    const client = await openSse(doors.socket, '/logs/stream')
    keepsUp.resolve(client)
    await slow.done
    await client.until((events) => messagesOf(events.slice(-1))[0]?.startsWith('line 19999 ') ?? false)
    expect(messagesOf(client.events)).toHaveLength(20_000)
    expect(client.events.some(({ event }) => event === 'dropped')).toBe(false)
    limited.kill('SIGKILL')
    await slow.gone
  })

  test('is waited for as long as nothing is lost by it: what was there already', async () => {
    let taken = 0
    const reader: LogReader = {
      page: machine().reader.page,
      async *follow(_wish, signal) {
        for (; taken < 100_000 && !signal.aborted; taken++) yield { line: lineOf(taken), live: false }
        yield { caughtUp: true }
        await once(signal, 'abort')
      },
    }
    const doors = await served(reader)
    const client = connect(doors.socket)
    onTestFinished(() => void client.destroy())
    let text = ''
    let [got, ahead] = [0, 0]
    client.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      got += chunk.split('"message"').length - 1
      ahead = Math.max(ahead, taken - got)
    })
    client.write('GET /logs/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await expect.poll(() => text.includes('caught-up'), PATIENT).toBe(true)
    // Two queues full at most, and what the kernel holds.
    expect(ahead).toBeLessThan(20_000)
    expect([...text.matchAll(/"message":"line (\d+) /g)]).toHaveLength(100_000)
    expect(text).not.toContain('event: dropped')
  })

  test('that takes no byte for long loses its place', async () => {
    const endless = burst(Infinity)
    const doors = await served(endless.reader, { stallMs: 300 })
    const client = connect(Number(new URL(doors.tcp).port), '127.0.0.1')
    onTestFinished(() => void client.destroy())
    client.on('error', () => {})
    client.pause()
    client.write('GET /logs/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await endless.gone
  })
})

test('so many streams at once, and one more through the unix socket', async () => {
  const quiet = burst(1)
  const doors = await served(quiet.reader)
  const open = await Promise.all(Array.from({ length: 8 }, () => openSse(doors.tcp, '/logs/stream')))
  expect((await openSse(doors.tcp, '/logs/stream')).response.statusCode).toBe(429)
  expect((await openSse(doors.socket, '/logs/stream')).response.statusCode).toBe(200)
  expect((await openSse(doors.socket, '/logs/stream')).response.statusCode).toBe(429)
  for (const client of open) client.close()
  await expect.poll(async () => (await openSse(doors.tcp, '/logs/stream')).response.statusCode, PATIENT).toBe(200)
})

test('fetch reads it; what is missing of the sources is told', async () => {
  const doors = await served(machine().reader)
  const answer = await fetch(`${doors.tcp}/logs/stream?source=journal`)
  let text = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes('event: problem')) break
  }
  expect(text).toMatch(/^retry: 3000\n\n/)
  expect(text).toContain('event: problem\ndata: {"source":"journal","message":"no journal: no journal file under')
})

test('a browser on another site gets none of it', async () => {
  const doors = await served(burst(1).reader)
  const { response } = await openSse(doors.tcp, '/logs/stream', { origin: 'https://evil.example' })
  expect(response.statusCode).toBe(403)
})

/** A source of lines as fast as they are taken, `each` of them in one go; with what tells that it was told to end. `paced`: and not before that. */
function burst(count: number, each = 1000, paced: (number: number) => Promise<unknown> = () => delay(1)) {
  const [done, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const reader: LogReader = {
    page: () => Promise.reject(new Error('not asked')),
    async *follow(_wish, signal): AsyncGenerator<FollowStep, void, void> {
      signal.addEventListener('abort', () => gone.resolve())
      yield { caughtUp: true }
      for (let number = 0; number < count && !signal.aborted; number++) {
        yield { line: lineOf(number), live: true }
        if (number % each === 0) await paced(number)
      }
      done.resolve()
      if (!signal.aborted) await once(signal, 'abort')
    },
  }
  return { reader, done: done.promise, gone: gone.promise }
}

function lineOf(number: number) {
  const time = `2026-06-15T12:00:00.${String(number).padStart(6, '0')}Z`
  const message = `line ${number} ${'x'.repeat(100)}`
  return { time, source: 'journal', level: 'info', message, cursor: `1f.${number.toString(36)}.` } as const
}

function numberAt(time: string): number {
  return Number(time.slice(20, 26))
}

/** Now, as microseconds after the noon of the kit. */
function soon(): number {
  return Date.now() * 1000 - Date.UTC(2026, 5, 15, 12) * 1000
}

function journalctlsOf(box: Machine): number {
  return pidsOf(box).length
}

function pidsOf({ root }: Machine): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const words = commandLine(pid)
      return words.includes(`--root=${root}`) && words.includes('--follow')
    })
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
