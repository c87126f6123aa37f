/** The thread of the rules: what hangs or fails there is refused, what waited is masked, nothing is left running. */
import type { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import type { RedactorOptions } from '../../src/redact/configured.ts'
import { createRedactionService, RedactionError, type RedactionService } from '../../src/redact/service.ts'
import type { RedactionStream } from '../../src/redact/stream.ts'

const KEY = Buffer.alloc(32, 7)
/** Refused by userRuleProblem; here it comes without being asked. */
const HANGING: RedactorOptions = { key: KEY, userRules: [{ name: 'hang', pattern: '(a+)+$' }] }
/** Long enough for a new thread to load the rules on a busy machine: that counts too. */
const WATCHDOG_MS = 1500
const HANGS_ON = `${'a'.repeat(60)}!`

const services: RedactionService[] = []

afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()))
})

function serviceOf(watchdogMs?: number): RedactionService {
  const service = createRedactionService(watchdogMs)
  services.push(service)
  return service
}

async function masked(stream: RedactionStream, text: string): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of stream.push(Buffer.from(text))) parts.push(Buffer.from(part))
  for await (const part of stream.end()) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString()
}

test('masks in a thread, and counts', async () => {
  const redactor = serviceOf().open({ key: KEY, live: ['s3cr3t-Value9'], names: ['pin_code'] })
  const stream = redactor.stream()
  expect(await masked(stream, 'password=k7Wq9zLp2XvR4tB8 x=s3cr3t-Value9 pin_code=4711q')).toMatch(
    /^password=<masked:password:[0-9a-f]{6}> x=<masked:live-value:[0-9a-f]{6}> pin_code=<masked:secret:[0-9a-f]{6}>$/,
  )
  expect(stream.hits).toEqual({ password: 1, 'live-value': 1, secret: 1 })
})

test('the same secret has the same token with the same key only', async () => {
  const service = serviceOf()
  const one = service.open({ key: KEY })
  const other = service.open({ key: Buffer.alloc(32, 8) })
  const text = 'password=k7Wq9zLp2XvR4tB8'
  expect(await masked(one.stream(), text)).toBe(await masked(one.stream(), text))
  expect(await masked(one.stream(), text)).not.toBe(await masked(other.stream(), text))
})

test('many streams at once do not mix', async () => {
  const redactor = serviceOf().open({ key: KEY })
  const texts = Array.from({ length: 20 }, (_, index) => `${index} password=k7Wq9zLp2XvR4tB8\n`.repeat(2000 + index))
  const outs = await Promise.all(texts.map((text) => masked(redactor.stream(), text)))
  for (const [index, out] of outs.entries()) {
    const lines = out.trimEnd().split('\n')
    expect(lines).toHaveLength(2000 + index)
    expect(new Set(lines).size).toBe(1)
    expect(lines[0]).toMatch(new RegExp(`^${index} password=<masked:password:[0-9a-f]{6}>$`))
  }
})

test('a text at once is masked like a stream of it, whether it is sent or lies in a memory of its own', async () => {
  const redactor = serviceOf().open({ key: KEY })
  const secret = ' password=k7Wq9zLp2XvR4tB8'
  for (const length of [secret.length, 100, 16 * 1024, 16 * 1024 + 1, 300_000]) {
    const text = secret.padStart(length, 'some words ')
    const { bytes, hits } = await redactor.whole(Buffer.from(text))
    expect(bytes.toString()).toBe(await masked(redactor.stream(), text))
    expect(bytes.toString()).toMatch(/ password=<masked:password:[0-9a-f]{6}>$/)
    expect(hits).toEqual({ password: 1 })
  }
  const texts = Array.from({ length: 200 }, (_, index) => `text ${index}${index % 2 ? secret : ''}`)
  const outs = await Promise.all(texts.map(async (text) => (await redactor.whole(Buffer.from(text))).bytes.toString()))
  for (const [index, out] of outs.entries())
    expect(out.replace(/<masked.*/, 'masked')).toBe(`text ${index}${index % 2 ? ' password=masked' : ''}`)
  expect(await redactor.whole(Buffer.alloc(0))).toEqual({ bytes: Buffer.alloc(0), hits: {} })
})

describe('a rule that hangs', () => {
  it('is ended; what hung is refused, what waited is masked by a new thread', async () => {
    const service = serviceOf(WATCHDOG_MS)
    const hanging = service.open(HANGING)
    const sound = service.open({ key: KEY })
    await masked(sound.stream(), 'started')
    const refused = masked(hanging.stream(), `secret words ${HANGS_ON}`).catch((error: unknown) => error)
    const waiting = Array.from({ length: 5 }, () =>
      masked(sound.stream(), 'password=k7Wq9zLp2XvR4tB8\n'.repeat(12_000)),
    )
    const error = await refused
    expect(error).toBeInstanceOf(RedactionError)
    expect((error as Error).message).toBe('the rules were not done with it after 1.5 s')
    for (const out of await Promise.all(waiting)) {
      expect(out).toMatch(/^(?:password=<masked:password:[0-9a-f]{6}>\n){12000}$/)
    }
    expect(await masked(hanging.stream(), 'does not hang')).toBe('does not hang')
  })
})

describe('a rule that fails', () => {
  it('refuses the stretch and tells nothing of the text', async () => {
    const redactor = serviceOf().open({ key: KEY, userRules: [{ name: 'endless', pattern: 'id: a+' }] })
    const stream = redactor.stream()
    const text = `id: ${'a'.repeat(600_000)}`
    const error = await masked(stream, text).catch((problem: unknown) => problem)
    expect(error).toBeInstanceOf(RedactionError)
    expect((error as Error).message).toMatch(/^a rule failed: RangeError in user-rules\.ts:\d+$/)
    expect(await masked(redactor.stream(), 'id: aa.')).toMatch(/^<masked:endless:[0-9a-f]{6}>\.$/)
  })

  it('refuses everything when the options cannot be used', async () => {
    const redactor = serviceOf().open({ key: KEY, userRules: [{ name: 'broken', pattern: '(' }] })
    await expect(masked(redactor.stream(), 'words')).rejects.toBeInstanceOf(RedactionError)
  })
})

describe('closing', () => {
  it('leaves no thread, and refuses what waits', async () => {
    const started: Worker[] = []
    const ended: Worker[] = []
    const watch = (worker: Worker) => {
      started.push(worker)
      worker.once('exit', () => ended.push(worker))
    }
    process.on('worker', watch)
    const service = createRedactionService()
    const waiting = masked(service.open(HANGING).stream(), HANGS_ON).catch((error: unknown) => error)
    await vi.waitFor(() => expect(started).toHaveLength(1))
    await service.close()
    process.off('worker', watch)
    expect(await waiting).toBeInstanceOf(RedactionError)
    expect(ended).toEqual(started)
    await expect(masked(service.open({ key: KEY }).stream(), 'x')).rejects.toThrow('the redaction has ended')
  })

  it('of a redactor leaves the others', async () => {
    const service = serviceOf()
    const [one, other] = [service.open({ key: KEY }), service.open({ key: KEY })]
    await masked(one.stream(), 'x')
    one.close()
    expect(await masked(other.stream(), 'y')).toBe('y')
    await expect(masked(one.stream(), 'x')).rejects.toBeInstanceOf(RedactionError)
  })
})
