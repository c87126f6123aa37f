/** The thread that writes the logs of containers. All that costs time is done here: frames, mask, deflate, disk. */
import { parentPort, workerData } from 'node:worker_threads'
import { writeDocument } from '../keep/document.ts'
import { Masker } from './masker.ts'
import { OpenLog } from './open-log.ts'
import { DOING, PHASE, type Order, type Said, type ThreadSettings } from './protocol.ts'
import { makeRoom } from './room.ts'

/** From a line to the disk: half of what a power cut may take, for the other half the disk has to be asked. */
const STORE_AFTER_MS = 500
/** A disk that did not take it is tried again. */
const RETRY_MS = 5000
/** At once: as many as libuv has threads, of which others need some. */
const SYNCS = 2
const ROOM_AFTER_MS = 60_000
const ROOM_AFTER_BYTES = 4 * 1024 * 1024

const settings = workerData as ThreadSettings
const phase = new Int32Array(settings.phase)
const port = parentPort!
const say = (said: Said) => port.postMessage(said)

const logs = new Map<number, OpenLog>()
const memories = new Map<number, Buffer>()
/** Orders to logs that the disk does not take. */
const queued = new Map<number, LogOrder[]>()
let masker = new Masker({ options: undefined, rules: '', values: 0 })
let storing: NodeJS.Timeout | undefined
let syncing: Promise<void> | undefined
let diskProblem: string | undefined
let roomAtMs = -Infinity
let storedBytes = 0

port.on('message', (order: Order) => obey(order))

function obey(order: Order): void {
  switch (order.kind) {
    case 'mask':
      masker = new Masker(order.mask)
      return
    case 'memory':
      memories.set(order.memory, Buffer.from(order.bytes))
      return
    case 'open':
      return open(order)
    case 'document':
      return finish(order.task, () => write(order))
    case 'flush':
      return finish(order.task, () => storeAll(true))
    case 'rest':
      return rest()
    default:
      return toLog(order)
  }
}

function open({ log, folder, withholdUntil }: Extract<Order, { kind: 'open' }>): void {
  try {
    const { maxLogBytes, flood } = settings
    doing('disk', log)
    const opened = new OpenLog({ folder, maxBytes: maxLogBytes, flood, withholdUntil }, masker)
    logs.set(log, opened)
    if (opened.waits) soon()
    say({ kind: 'opened', log, place: opened.place(), tornBytes: opened.tornBytes, lostItsPlace: opened.lostItsPlace })
  } catch (error) {
    say({ kind: 'failed', log, reason: (error as Error).message })
    disk(error)
  } finally {
    doing('nothing', log)
  }
}

type LogOrder = Extract<Order, { kind: 'begin' | 'bytes' | 'end' | 'place' | 'mark' | 'close' }>

function toLog(order: LogOrder): void {
  const log = logs.get(order.log)
  if (!log) {
    // It could not be opened, or is closed.
    if (order.kind === 'bytes') say({ kind: 'taken', memory: order.memory })
  } else if (order.kind === 'place') {
    say({ kind: 'opened', log: order.log, place: log.place(), tornBytes: 0, lostItsPlace: false })
  } else if (log.isStuck) {
    queued.set(order.log, [...(queued.get(order.log) ?? []), order])
  } else run(order, log)
}

function run(order: Exclude<LogOrder, { kind: 'place' }>, log: OpenLog): void {
  switch (order.kind) {
    case 'begin':
      return log.begin()
    case 'bytes':
      return take(order, log)
    case 'end':
      log.end(order.finished)
      return soon()
    case 'mark':
      log.mark(order.sentence)
      return soon()
    case 'close':
      return close(order.log, log)
  }
}

function take({ log: number, memory, length }: Extract<Order, { kind: 'bytes' }>, log: OpenLog): void {
  try {
    log.push(memories.get(memory)!.subarray(0, length))
  } catch (error) {
    say({ kind: 'broken', log: number, reason: (error as Error).message })
  }
  say({ kind: 'taken', memory })
  const trouble = log.trouble()
  if (trouble !== undefined) say({ kind: 'trouble', log: number, sentence: trouble })
  if (log.isFull) store(number, log)
  soon()
}

function close(number: number, log: OpenLog): void {
  if (log.waits && !store(number, log)) {
    queued.set(number, [{ kind: 'close', log: number }])
    return soon()
  }
  attempt(number, () => log.seal())
  log.close()
  logs.delete(number)
}

/** Masks and stores what waits of one log; false when the disk did not take it. */
function store(number: number, log: OpenLog): boolean {
  doing('masking', number)
  const before = log.diskBytes
  const stored = attempt(number, () => log.store(masker))
  if (stored && diskProblem !== undefined) disk(undefined)
  storedBytes += Math.max(0, log.diskBytes - before)
  const counted = log.counted()
  if (Object.values(counted).some((count) => count > 0)) say({ kind: 'counted', log: number, counted })
  if (storedBytes > ROOM_AFTER_BYTES) room()
  if (stored) goOn(number)
  return stored
}

/** What was queued meanwhile; perhaps it is stuck again. */
function goOn(number: number): void {
  const orders = queued.get(number)
  queued.delete(number)
  for (const order of orders ?? []) toLog(order)
}

function attempt(number: number, work: () => void): boolean {
  try {
    work()
    return true
  } catch (error) {
    disk(error)
    return false
  } finally {
    doing('nothing', number)
  }
}

/** A line came: it is on the disk within a second. */
function soon(): void {
  storing ??= setTimeout(() => void storeAll(), diskProblem === undefined ? STORE_AFTER_MS : RETRY_MS)
}

/** Resolves with what went wrong, if anything did. */
async function storeAll(atOnce = false): Promise<string | undefined> {
  clearTimeout(storing)
  storing = undefined
  let isHeld = false
  for (const [number, log] of logs) {
    if (!atOnce && log.waits && log.waitsForKey()) isHeld = true
    else while (log.waits && logs.has(number)) if (!store(number, log)) break
  }
  if (isHeld) soon()
  if (diskProblem !== undefined) soon()
  while (syncing) await syncing
  syncing = syncAll().finally(() => {
    syncing = undefined
  })
  await syncing
  for (const log of logs.values()) if (log.canRest) log.rest()
  if (performance.now() - roomAtMs > ROOM_AFTER_MS) room()
  return diskProblem
}

async function syncAll(): Promise<void> {
  const dirty = [...logs.values()].filter((log) => log.dirty)
  const next = async (): Promise<void> => {
    for (let log = dirty.pop(); log; log = dirty.pop()) await log.sync().catch(disk)
  }
  await Promise.all(Array.from({ length: SYNCS }, next))
}

async function write({ folder, name, text }: Extract<Order, { kind: 'document' }>): Promise<string | undefined> {
  doing('masking', -1)
  try {
    const masked = masker.whole(Buffer.from(text))
    doing('disk', -1)
    writeDocument(folder, name, masked)
    return undefined
  } finally {
    doing('nothing', -1)
  }
}

function finish(task: number, work: () => Promise<string | undefined>): void {
  void work()
    .catch((error: unknown) => (error as Error).message)
    .then((problem) => say({ kind: 'done', task, ...(problem === undefined ? {} : { problem }) }))
}

function room(): void {
  const folders = new Set([...logs.values()].map(({ folder }) => folder))
  roomAtMs = performance.now()
  storedBytes = 0
  attempt(-1, () => {
    doing('disk', -1)
    const { keptBytes, forgotten, cap } = makeRoom(settings, (folder) => folders.has(folder))
    for (const log of logs.values()) log.lookAgain()
    say({ kind: 'kept', keptBytes, forgotten, cap })
  })
}

/** Nothing is lost by it: what comes later opens the logs again. */
function rest(): void {
  if (![...logs.values()].every((log) => log.canRest)) return say({ kind: 'busy' })
  for (const log of logs.values()) log.close()
  clearTimeout(storing)
  say({ kind: 'rested' })
  port.close()
}

/** Tells what is wrong with the disk when that changes. */
function disk(error: unknown): void {
  const problem = error === undefined ? undefined : (error as Error).message
  if (problem === diskProblem) return
  diskProblem = problem
  say({ kind: 'disk', problem })
}

function doing(what: keyof typeof DOING, log: number): void {
  phase[PHASE.doing] = DOING[what]
  phase[PHASE.log] = log
  Atomics.add(phase, PHASE.turn, 1)
}
