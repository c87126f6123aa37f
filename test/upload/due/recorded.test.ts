/** Triggers behind the real recorder, which reads real journals. */
import { describe, expect, onTestFinished, test } from 'vitest'
import type { EventStore } from '../../../src/record/events/event.ts'
import { createRecorder } from '../../../src/record/recorder/recorder.ts'
import { createRedactionService } from '../../../src/redact/service.ts'
import { FIXED_PATH } from '../../../src/sources/lookup.ts'
import { createTriggers } from '../../../src/upload/due/triggers.ts'
import type { UploadRecord, UploadWish } from '../../../src/upload/upload.ts'
import { temporaryFolder } from '../../helpers/commands.ts'
import { memoryStore } from '../../record/helpers/memory-store.ts'
import { addToJournal, at, canMakeJournals, failed, type Fields } from '../../record/helpers/journals.ts'
import { triggersOf } from './kit.ts'

const THIS = '55555555-5555-5555-5555-555555555555'
const BEFORE = '4'.repeat(32)
/** An hour ago: what is old is not read. */
const AGO = Math.floor((Date.now() - Date.parse('2026-01-02T03:00:00.000Z')) / 1000) - 3600
/** Since the boot, microseconds. */
const BEGIN = '10000000'

/** What is asked for when the journal of this boot has these entries, and diagd starts a minute after. */
async function wishesOf(entries: readonly Fields[]): Promise<readonly UploadWish[]> {
  const journalDirectory = temporaryFolder()
  addToJournal(journalDirectory, entries)
  const last = entries.at(-1)!
  const now = () => ({
    timeMs: Number(last['__REALTIME_TIMESTAMP']) / 1000 + 60_000,
    monotonicMs: Number(last['__MONOTONIC_TIMESTAMP']) / 1000 + 60_000,
    bootId: THIS,
  })
  const wishes: UploadWish[] = []
  const triggers = createTriggers({
    config: triggersOf(),
    parameters: { since: '5m' },
    now,
    bootStartMs: now().timeMs - now().monotonicMs,
    tell: () => {},
    query: async () => [],
    log: { warn: () => {} },
    uploads: {
      request: async (wish) => {
        wishes.push(wish)
        return {} as UploadRecord
      },
      fired: async () => ({ count: 0 }),
    },
  })
  const store = memoryStore()
  const append: typeof store.append = async (events, cursor) => {
    // Before whoever waits for it goes on.
    triggers.heard(events)
    return store.append(events, cursor)
  }
  const service = createRedactionService()
  onTestFinished(() => service.close())
  const recorder = createRecorder({
    store: { ...store, append } as unknown as EventStore,
    redactor: service.open({ key: Buffer.alloc(32, 1) }),
    bootId: THIS,
    version: '1.2.3',
    path: FIXED_PATH,
    root: temporaryFolder(),
    journalDirectory,
    log: { warn: () => {} },
  })
  onTestFinished(() => recorder.close())
  await recorder.start()
  const message = last['MESSAGE']
  await store.until(({ events }) => events.some((event) => event.message === message))
  await triggers.idle()
  return wishes
}

const soon = (fields: Fields): Fields => at(AGO, { ...fields, __MONOTONIC_TIMESTAMP: BEGIN })
const kernel = (MESSAGE: string) => soon({ _TRANSPORT: 'kernel', SYSLOG_IDENTIFIER: 'kernel', MESSAGE })
const oom = (group: string) => [
  kernel(`oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task_memcg=${group},task=node,pid=4711,uid=0`),
  kernel('Memory cgroup out of memory: Killed process 4711 (node) total-vm:612340kB, anon-rss:20204kB, UID:0'),
]

describe.runIf(canMakeJournals)(`${canMakeJournals ? '' : 'SKIPPED: needs systemd-journal-remote: '}a journal`, () => {
  test('with a unit that failed', async () => {
    expect(await wishesOf([soon(failed(AGO, 'app.service'))])).toMatchObject([
      { trigger: 'unit', reason: "app.service: Failed with result 'exit-code'." },
    ])
  })

  test('with an OOM kill, and one among what diagd started', async () => {
    expect(await wishesOf(oom('/system.slice/hog.service'))).toMatchObject([{ trigger: 'oom-kill' }])
    expect(await wishesOf(oom('/system.slice/diagd.service'))).toEqual([])
  })

  test('of a boot before that ended without a word', async () => {
    const ofBefore: Fields = { ...failed(AGO, 'old.service'), _BOOT_ID: BEFORE }
    const started = at(AGO + 1800, {
      _PID: '1',
      SYSLOG_IDENTIFIER: 'systemd',
      MESSAGE: 'Startup finished in 3s.',
      MESSAGE_ID: 'b07a249cd024414a82dd00cd181378ff',
      KERNEL_USEC: '1000000',
      USERSPACE_USEC: '2000000',
      __MONOTONIC_TIMESTAMP: BEGIN,
    })
    const [wish, ...others] = await wishesOf([ofBefore, started])
    expect(others).toEqual([])
    const lastMs = Number(ofBefore['__REALTIME_TIMESTAMP']) / 1000
    const since = new Date(lastMs - 15 * 60_000).toISOString()
    expect(wish).toMatchObject({ trigger: 'unclean-end', parameters: { since } })
  })

  test('of a boot that took too long', async () => {
    const started = soon({
      _PID: '1',
      SYSLOG_IDENTIFIER: 'systemd',
      MESSAGE: 'Startup finished in 11min.',
      MESSAGE_ID: 'b07a249cd024414a82dd00cd181378ff',
      KERNEL_USEC: '1000000',
      USERSPACE_USEC: '660000000',
    })
    expect(await wishesOf([started])).toMatchObject([{ trigger: 'slow-boot', reason: 'Startup finished in 11min.' }])
  })
})
