/** From a real store of events to whoever takes them. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { createEventsSender, OTLP_CURSOR, type EventSource } from '../../src/otlp/events-sender.ts'
import type { Delivery } from '../../src/otlp/send.ts'
import { createState } from '../../src/otlp/state.ts'
import type { EventStore, NewEvent, StoredEvent } from '../../src/record/events/event.ts'
import { createEventStore } from '../../src/record/events/store.ts'
import { temporaryFolder } from '../helpers/commands.ts'

const BOOT = '0f1e2d3c-0000-4000-8000-000000000001'
const BEFORE = '0f1e2d3c-0000-4000-8000-000000000000'
const TAKEN: Delivery = { kind: 'taken', body: new Uint8Array() }

const sourceOf = (store: EventStore): EventSource => ({
  ...store,
  keepCursor: (cursor) => store.append([], cursor),
})
const event = (subject: string, over: Partial<NewEvent> = {}): NewEvent => ({
  timeMs: Date.now(),
  bootId: BOOT,
  source: 'api',
  type: 'test.one',
  level: 'info',
  subject,
  message: 'x',
  ...over,
})
const many = (count: number, over: Partial<NewEvent> = {}) =>
  Array.from({ length: count }, (_, n) => event(`${n}`, over))

function storeIn(folder: string, closing = true): EventStore {
  const store = createEventStore({ folder, bootId: BOOT })
  if (closing) onTestFinished(() => store.close())
  return store
}

/** A sender over a store; `answers` in turn, then all is taken. */
function senderOf(store: EventStore, answers: readonly Delivery[] = [], over: Partial<EventSource> = {}) {
  const source = { ...sourceOf(store), ...over }
  const left = [...answers]
  const sent: string[][] = []
  const state = createState()
  const send = async (events: readonly StoredEvent[]) => {
    sent.push(events.map(({ subject }) => subject))
    return left.shift() ?? TAKEN
  }
  return { ...createEventsSender({ source, state, send, rejectedBy: async () => undefined }), sent, state }
}

async function untilIdle({ turn }: Pick<ReturnType<typeof senderOf>, 'turn'>): Promise<void> {
  while ((await turn()).next === 'more');
}

test('in the order they came, each once; after a restart it goes on where it was', async () => {
  const folder = temporaryFolder()
  const first = storeIn(folder, false)
  await first.append(many(450))
  const sender = senderOf(first)
  await untilIdle(sender)
  expect(sender.sent.map(({ length }) => length)).toEqual([200, 200, 50])
  expect(sender.sent.flat()).toEqual(many(450).map(({ subject }) => subject))
  expect(sender.state.health()).toMatchObject({ state: 'sending', taken: 3, sentItems: 450, lostItems: 0 })
  await first.append([event('while nobody sent')])
  await first.close()
  const again = senderOf(storeIn(folder))
  await untilIdle(again)
  expect(again.sent).toEqual([['while nobody sent']])
})

test('who begins to look gets this boot, and none before it', async () => {
  const store = storeIn(temporaryFolder())
  await store.append([event('long ago', { bootId: BEFORE }), event('a'), event('b')])
  const sender = senderOf(store)
  await untilIdle(sender)
  expect(sender.sent).toEqual([['a', 'b']])
})

test('nothing to send is no request', async () => {
  const sender = senderOf(storeIn(temporaryFolder()))
  expect(await sender.turn()).toEqual({ next: 'idle' })
  expect(sender.sent).toEqual([])
})

describe('what is not taken', () => {
  test('is sent again, the same, until it is', async () => {
    const store = storeIn(temporaryFolder())
    await store.append([event('a')])
    const sender = senderOf(store, [
      { kind: 'later', reason: 'it answered 503', retryAfterMs: 7000 },
      { kind: 'later', reason: 'ECONNREFUSED' },
    ])
    expect(await sender.turn()).toEqual({ next: 'later', retryAfterMs: 7000 })
    expect(sender.state.health()).toMatchObject({
      state: 'waiting',
      problem: 'it answered 503',
      since: expect.any(String),
    })
    expect(await store.cursor(OTLP_CURSOR)).toBeUndefined()
    await store.append([event('b')])
    expect(await sender.turn()).toEqual({ next: 'later' })
    await untilIdle(sender)
    expect(sender.sent).toEqual([['a'], ['a', 'b'], ['a', 'b']])
    expect(sender.state.health()).toMatchObject({ state: 'sending', failed: 2, taken: 1, sentItems: 2 })
  })

  test('and will never be is given up and counted; what comes behind it is sent', async () => {
    const store = storeIn(temporaryFolder())
    await store.append([event('a'), event('b')])
    const sender = senderOf(store, [{ kind: 'refused', reason: 'it answered 400', tooLarge: false }])
    await untilIdle(sender)
    await store.append([event('c')])
    await untilIdle(sender)
    expect(sender.sent).toEqual([['a', 'b'], ['c']])
    expect(sender.state.health()).toMatchObject({ refused: 1, refusedItems: 2, sentItems: 1 })
  })

  test('because it is too large goes in parts; one that is too large by itself is given up', async () => {
    const store = storeIn(temporaryFolder())
    await store.append(many(4))
    const tooLarge: Delivery = { kind: 'refused', reason: 'it answered 413', tooLarge: true }
    const sender = senderOf(store, [tooLarge, tooLarge, tooLarge])
    await untilIdle(sender)
    expect(sender.sent).toEqual([['0', '1', '2', '3'], ['0', '1'], ['0'], ['1', '2'], ['3']])
    expect(sender.state.health()).toMatchObject({ refusedItems: 1, sentItems: 3 })
  })
})

test('a group has a limit in bytes, and an event that is larger goes alone', async () => {
  const store = storeIn(temporaryFolder())
  await store.append(many(40, { detail: { text: 'x'.repeat(16_000) } }))
  const sender = senderOf(store)
  await untilIdle(sender)
  expect(sender.sent.map(({ length }) => length)).toEqual([32, 8])
})

test('what was removed before it could be sent is counted', async () => {
  const store = storeIn(temporaryFolder())
  const [first] = await store.append(many(10))
  // As retention does: the oldest are gone.
  const source = {
    ...sourceOf(store),
    query: async (filter: Parameters<EventStore['query']>[0]) =>
      (await store.query(filter)).filter(({ id }) => id === first || id > first! + 5),
  }
  const state = createState()
  let most = 1
  const sender = createEventsSender({
    source: { ...source, query: async (filter) => (await source.query(filter)).slice(0, most) },
    state,
    send: async () => TAKEN,
    rejectedBy: async () => undefined,
  })
  await sender.turn()
  most = 100
  await untilIdle(sender)
  expect(state.health()).toMatchObject({ sentItems: 5, lostItems: 5 })
})

test('a store that takes no cursor does not have the same sent for ever', async () => {
  const store = storeIn(temporaryFolder())
  await store.append([event('a')])
  const sender = senderOf(store, [], { keepCursor: () => Promise.reject(new Error('the disk is full')) })
  await untilIdle(sender)
  expect(sender.sent).toEqual([['a']])
})

test('what the collector took and threw away is not counted as sent', async () => {
  const store = storeIn(temporaryFolder())
  await store.append(many(5))
  const state = createState()
  const sender = createEventsSender({
    source: sourceOf(store),
    state,
    send: async () => TAKEN,
    rejectedBy: async () => ({ count: 2, message: 'too old' }),
  })
  await untilIdle(sender)
  expect(state.health()).toMatchObject({ sentItems: 3, rejectedItems: 2, problem: 'the collector rejected 2: too old' })
})
