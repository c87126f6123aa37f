import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { EventStore, NewEvent } from '../../../src/record/events/event.ts'
import { rowOf } from '../../../src/record/events/row.ts'
import { createRecorder, type Recorder, type RecorderOptions } from '../../../src/record/recorder/recorder.ts'
import { createMask } from '../../../src/record/recorder/mask.ts'
import { createQueue } from '../../../src/record/recorder/queue.ts'
import { createRedactionService } from '../../../src/redact/service.ts'
import { FIXED_PATH } from '../../../src/sources/lookup.ts'
import { temporaryFolder } from '../../helpers/commands.ts'
import { counted, memoryStore, type MemoryStore } from '../helpers/memory-store.ts'
import { addToJournal, at, canMakeJournals, failed } from '../helpers/journals.ts'

const BOOT = randomUUID()
const secret = () => `ghp_${randomBytes(18).toString('hex')}`

function redactor() {
  const service = createRedactionService()
  onTestFinished(() => service.close())
  return service.open({ key: randomBytes(32) })
}

function recorder(store: MemoryStore, more: Partial<RecorderOptions> = {}): Recorder {
  const made = createRecorder({
    store: store as unknown as EventStore,
    redactor: redactor(),
    bootId: BOOT,
    version: '1.2.3',
    path: FIXED_PATH,
    root: temporaryFolder(),
    log: { warn: () => {} },
    ...more,
  })
  onTestFinished(() => made.close())
  return made
}

const event = (message: string, more: Partial<NewEvent> = {}): NewEvent => ({
  timeMs: 1,
  bootId: BOOT,
  source: 'api',
  type: 'provision.test',
  level: 'info',
  subject: '',
  message,
  ...more,
})

describe('what events say is masked before it is stored', () => {
  test('message, subject and detail, in a group', async () => {
    const [one, two, three] = [secret(), secret(), secret()]
    const events = [
      event(`token ${one}`),
      event('plain'),
      event('x', { subject: two, detail: { a: { password: three, n: 7 } } }),
    ]
    const masked = await createMask(redactor()).events(events)
    expect(JSON.stringify(masked)).not.toMatch(new RegExp([one, two, three].join('|')))
    expect(masked[0]!.message).toMatch(/^token <masked:/)
    expect(masked[1]).toEqual(events[1])
    expect(masked[2]).toMatchObject({ message: 'x', detail: { a: { n: 7 } } })
  })

  test('one that begins what looks like a key does not swallow the next ones', async () => {
    const begins = event(`-----BEGIN RSA PRIVATE KEY-----\n${randomBytes(48).toString('base64')}`)
    const [first, ...others] = await createMask(redactor()).events([
      begins,
      event('next'),
      event('password:'),
      event('last'),
    ])
    expect(first!.message).not.toContain(begins.message.slice(40))
    expect(others.map(({ message }) => message)).toEqual(['next', 'password:', 'last'])
  })

  test('what cannot be masked is not stored, and says so; the others are', async () => {
    const real = redactor()
    const breaking = {
      whole: async (bytes: Uint8Array) => {
        if (Buffer.from(bytes).includes('poison')) throw new Error('a rule failed')
        return real.whole(bytes)
      },
    }
    const mask = createMask(breaking)
    const masked = await mask.events([
      event('fine'),
      event('poison', { subject: 's', detail: { a: 1 } }),
      event('fine too'),
    ])
    expect(masked.map(({ message }) => message)).toEqual([
      'fine',
      'withheld, for it could not be masked: a rule failed',
      'fine too',
    ])
    expect(masked[1]).toMatchObject({ subject: 'withheld', detail: { withheld: true }, type: 'provision.test' })
    expect(mask.withheld).toBe(1)
  })

  test('without rules nothing that anybody said is stored', async () => {
    const masked = await createMask(undefined).events([event('words', { subject: 'x', detail: { y: 'z' } })])
    expect(JSON.stringify(masked)).not.toMatch(/words|"x"|"z"/)
  })

  test('what is too long is cut by the store, after it was masked; what is not looked at says how much there was', async () => {
    const late = secret()
    const text = `${'x'.repeat(4080)} token=${late}`
    const masked = await createMask(redactor()).events([
      event(text, { detail: { text: 'y'.repeat(20_000) } }),
      event(`${'x'.repeat(100_000)} token=${late}`, {
        subject: 's'.repeat(70_000),
        detail: { text: 'ü'.repeat(100_000) },
      }),
    ])
    const kept = masked.map(rowOf)
    expect(kept[0]!.message).toMatch(/^x+ … \(41\d{2} characters\)$/)
    expect(JSON.stringify(kept)).not.toContain(late.slice(0, 6))
    expect(JSON.parse(kept[0]!.detail!)).toEqual({
      cut: '20011 bytes',
      start: expect.stringMatching(/^\{"text":"y+$/) as string,
    })
    expect(kept[1]!.message).toMatch(/^x+ … \(10\d{4} characters\)$/)
    expect(kept[1]!.message).toHaveLength(4096)
    expect(kept[1]!.subject).toMatch(/^s+ … \(70000 characters\)$/)
    expect(JSON.parse(kept[1]!.detail!)).toEqual({
      cut: '200011 bytes',
      start: expect.stringMatching(/^\{"text":"ü+$/) as string,
    })
  })
})

describe('events that are posted', () => {
  test('are stored in order, in groups, and their ids are told', async () => {
    const groups: number[] = []
    let stored = 0
    const queue = createQueue(async (events) => {
      groups.push(events.length)
      await new Promise(setImmediate)
      return events.map(() => ++stored)
    })
    const ids = await Promise.all(Array.from({ length: 1200 }, (_, index) => queue.add(event(String(index)))))
    expect(ids).toEqual(Array.from({ length: 1200 }, (_, index) => index + 1))
    expect(groups).toEqual([1, 500, 500, 199])
  })

  test('beyond what may wait are refused and counted', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const queue = createQueue(async (events) => {
      await promise
      return events.map(() => 1)
    })
    const all = Array.from({ length: 6000 }, () => queue.add(event('x')).catch((error: Error) => error.message))
    expect(queue.dropped).toBe(999)
    resolve()
    const answers = await Promise.all(all)
    expect(answers.filter((answer) => answer === 1)).toHaveLength(5001)
    expect(answers.at(-1)).toContain('events wait to be stored already')
  })

  test('are bounded in bytes, too', async () => {
    const queue = createQueue(async () => new Promise(() => {}))
    const large = event('x'.repeat(1024 * 1024))
    const answers = Array.from({ length: 20 }, () => queue.add(large).catch(() => 'refused'))
    expect(await answers.at(-1)).toBe('refused')
    expect(queue.dropped).toBe(3)
  })

  test('that the store does not take are refused with its reason, and the loss is told later', async () => {
    const store = memoryStore()
    const made = recorder(store)
    store.refuses = 'the disk is full'
    await expect(made.add(event('lost'))).rejects.toThrow('the disk is full')
    store.refuses = undefined
    expect(await made.add(event('kept'))).toBe(2)
    expect(store.events).toMatchObject([{ type: 'diagd.events-dropped', detail: { events: 1 } }, { message: 'kept' }])
    await made.add(event('kept'))
    expect(counted(store.events)['diagd.events-dropped']).toBe(1)
  })
})

describe("diagd's own life", () => {
  const starts = ({ events }: MemoryStore) =>
    events
      .filter(({ type }) => /^diagd\.(?:started|crashed|stopped)$/.test(type))
      .map(({ type, detail }) => [type, detail?.['before']])

  test('how it ended the time before is known the next time', async () => {
    const store = memoryStore()
    const first = recorder(store)
    await first.start()
    await first.close()
    const second = recorder(store)
    await second.start()
    // Killed: it says nothing any more, and leaves what it stored.
    const left = new Map(store.cursors)
    await second.close()
    store.events.pop()
    store.cursors.clear()
    for (const [name, value] of left) store.cursors.set(name, value)
    const third = recorder(store)
    await third.start()
    const running = new Map(store.cursors)
    await third.close()
    for (const [name, value] of running) store.cursors.set(name, value)
    const fourth = recorder(store, { bootId: randomUUID() })
    await fourth.start()
    await fourth.close()
    expect(starts(store)).toEqual([
      ['diagd.started', 'none'],
      ['diagd.stopped', undefined],
      ['diagd.started', 'stopped'],
      ['diagd.crashed', undefined],
      ['diagd.started', 'killed'],
      ['diagd.stopped', undefined],
      ['diagd.started', 'machine'],
      ['diagd.stopped', undefined],
    ])
  })

  test('a store that is off does not keep it from starting or ending', async () => {
    const store = memoryStore()
    store.refuses = 'off'
    const warnings: string[] = []
    const made = recorder(store, { log: { warn: (_, message) => warnings.push(message) } })
    await made.start()
    await made.close()
    expect(warnings).toEqual(['the start of diagd could not be recorded', 'the end of diagd could not be recorded'])
  })

  test('what does not work is told once, and when it works again', async () => {
    const store = memoryStore()
    const made = recorder(store)
    const broken = { key: 'listen', message: 'the port is taken' }
    made.problems([broken])
    made.problems([broken])
    made.problems([])
    await made.close()
    expect(store.events.slice(0, 2)).toMatchObject([
      { type: 'diagd.degraded', subject: 'listen', message: 'the port is taken' },
      { type: 'diagd.recovered', subject: 'listen' },
    ])
    expect(store.events).toHaveLength(3)
  })

  test('lines of the audit log are events', async () => {
    const store = memoryStore()
    const made = recorder(store)
    const who = { credential: 'alice', credentialKind: 'token', address: '192.0.2.7' }
    made.audit({
      ...who,
      bundleId: 'debug-x',
      outcome: 'whole',
      bytesOut: 4711,
      durationMs: 12,
      what: { only: ['boot'] },
    })
    made.audit({ ...who, bundleId: 'debug-y', outcome: 'broken off', reason: 'the client went away' })
    made.audit({ address: undefined, outcome: 'refused', code: 'unauthorized', reason: 'no credential' })
    await made.close()
    expect(store.events.slice(0, 3)).toMatchObject([
      {
        type: 'bundle.handed-over',
        subject: 'debug-x',
        message: 'alice at 192.0.2.7 got a bundle, whole, of 4711 bytes',
      },
      {
        type: 'bundle.broken-off',
        level: 'warning',
        message: 'a bundle for alice at 192.0.2.7 broke off: the client went away',
      },
      {
        type: 'bundle.refused',
        subject: 'unauthorized',
        message: 'somebody at the unix socket was refused: no credential',
      },
    ])
  })
})

describe.skipIf(!canMakeJournals)('followers (journal files made by the package systemd-journal-remote)', () => {
  test('the journal first, then the log of cloud-init, whose boots it knows; all of it masked', async () => {
    const [journal, root] = [temporaryFolder(), temporaryFolder()]
    const store = Object.assign(memoryStore(), { boots: async () => [], health: () => ({ state: 'recording' }) })
    const ago = Math.floor((Date.now() - Date.parse('2026-01-02T03:00:00.000Z')) / 1000) - 60
    const token = secret()
    addToJournal(journal, [
      failed(ago),
      at(ago + 1, { SYSLOG_IDENTIFIER: 'setup', MESSAGE: `PHASE START: login with ${token}` }),
    ])
    mkdirSync(join(root, 'var/log'), { recursive: true })
    const log = readFileSync(join(import.meta.dirname, '../../fixtures/cloud-init/ubuntu-22.04.log'))
    writeFileSync(join(root, 'var/log/cloud-init.log'), log)
    const made = recorder(store, { root, journalDirectory: journal })
    await made.start()
    await store.until(({ events }) => events.some(({ type }) => type === 'cloud-init.stage-failed'))
    const types = store.events.map(({ type }) => type)
    expect(types.slice(0, 4)).toEqual(['diagd.started', 'unit.failed', 'phase.started', 'cloud-init.stage-started'])
    expect(JSON.stringify([...store.events, ...store.cursors])).not.toContain(token)
    expect(store.events[3]!.bootId).toBe('00000000-0000-0000-0000-000000000000')
    expect(made.health()).toMatchObject({
      journal: { state: 'following', events: 2 },
      cloudInit: {},
      dropped: 0,
      withheld: 0,
    })
    await made.close()
    expect(store.events.at(-1)!.type).toBe('diagd.stopped')
  })
})
