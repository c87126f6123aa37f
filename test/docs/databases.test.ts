/** Every question of docs/databases.md, asked of three databases of which the answer is known. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { eventsBook } from '../../src/record/events/book.ts'
import { metricsBook } from '../../src/record/metrics/database/book.ts'
import { append } from '../../src/record/metrics/database/write.ts'
import type { Mark, SampleRow } from '../../src/record/metrics/metric.ts'
import { migrate, prepareEmpty } from '../../src/record/store/tables.ts'
import { uploadsBook } from '../../src/upload/outbox/book.ts'
import type { UploadRecord } from '../../src/upload/upload.ts'
import { temporaryFolder } from '../helpers/archive.ts'
import { keep } from '../record/metrics/database/kit.ts'

const page = readFileSync(new URL('../../docs/databases.md', import.meta.url), 'utf8')
const questions = new Map(
  [...page.matchAll(/\n### (.+\?)\n\n```sql\n([^]+?)```/g)].map(([, question, sql]) => [question!, sql!]),
)

const [MIB, GIB] = [2 ** 20, 2 ** 30]
const START = Date.UTC(2026, 5, 15)
const OLD = '0f1e2d3c-0000-4000-8000-000000000001'
const NEW = '0f1e2d3c-0000-4000-8000-000000000002'
/** The story: eight hours, with a reboot after five. */
const HOURS = 8
const [DOWN, UP] = [at('05:00'), at('05:06')]

function at(clock: string): number {
  return Date.parse(`2026-06-15T${clock.length === 5 ? `${clock}:00` : clock}Z`)
}

const within = (timeMs: number, from: string, to: string) => timeMs >= at(from) && timeMs < at(to)

function host(timeMs: number): SampleRow {
  const isHogged = within(timeMs, '00:50', '01:01')
  const isBusy = within(timeMs, '02:00', '02:05')
  const columns = {
    load_1: isBusy ? 12 : 0.5,
    cpu_idle_percent: within(timeMs, '02:00', '03:00') ? 20 : 90,
    cpu_iowait_percent: 0,
    cpu_steal_percent: within(timeMs, '03:10', '03:20') ? 35 : 0.2,
    memory_total_bytes: 8 * GIB,
    memory_available_bytes: isHogged ? 100 * MIB : 6 * GIB,
    pressure_memory_some_percent: isHogged ? 60 : 0,
    pressure_io_some_percent: within(timeMs, '02:03', '02:04') ? 90 : isBusy ? 50 : 0,
    diagd_cpu_percent: 0.2,
    diagd_resident_bytes: 80 * MIB,
    diagd_sample_cpu_ms: 1.5,
  }
  return { subject: 'host', labels: {}, columns }
}

function mount(mountpoint: string, used: number): SampleRow {
  const columns = {
    size_bytes: 10 * GIB,
    used_bytes: used,
    available_bytes: 10 * GIB - used,
    inodes: 1000,
    inodes_free: 900,
  }
  return { subject: 'mount', labels: { mountpoint, device: `/dev${mountpoint}`, fstype: 'ext4' }, columns }
}

function container(id: string, name: string, columns: Record<string, number>): SampleRow {
  const limit = {
    memory_limit_bytes: 512 * MIB,
    memory_working_set_bytes: 100 * MIB,
    cpu_throttled_percent: 0,
    oom_kills: 0,
  }
  return { subject: 'container', labels: { id, cgroup: `/docker/${id}`, name }, columns: { ...limit, ...columns } }
}

function process(pid: string, name: string, written: number): SampleRow {
  const columns = { written_bytes_per_second: written, read_bytes_per_second: 0 }
  return { subject: 'process', labels: { pid, name, container: '' }, columns }
}

function rowsAt(timeMs: number): SampleRow[] {
  const hours = (timeMs - START) / 3_600_000
  const isBusy = within(timeMs, '02:00', '02:05')
  const network = {
    receive_errors: timeMs === at('04:00:10') ? 2 : 0,
    transmit_errors: 0,
    receive_drops: timeMs === at('04:00') ? 3 : 0,
    transmit_drops: 0,
  }
  return [
    host(timeMs),
    mount('/', 4 * GIB),
    mount('/data', 4 * GIB + 600 * MIB * hours),
    mount('/srv', (within(timeMs, '01:20', '01:50') ? 9.7 : 2) * GIB),
    { subject: 'interface', labels: { device: 'eth0' }, columns: network },
    container('aaaaaaaaaaaa', 'web', {}),
    container(
      'bbbbbbbbbbbb',
      'worker',
      within(timeMs, '00:59', '01:01')
        ? { memory_working_set_bytes: 500 * MIB, oom_kills: timeMs === at('01:00:10') ? 1 : 0 }
        : {},
    ),
    container('cccccccccccc', 'batch', within(timeMs, '03:30', '03:35') ? { cpu_throttled_percent: 40 } : {}),
    ...(isBusy ? [process('77', 'postgres', 20 * MIB), process('4711', 'dd', 200 * MIB)] : []),
  ]
}

const folder = temporaryFolder()
afterAll(folder.remove)

function opened(name: string, book: Parameters<typeof migrate>[1] & Parameters<typeof prepareEmpty>[1]) {
  const db = new Database(join(folder.path, name))
  prepareEmpty(db, book)
  migrate(db, book)
  return db
}

function writeMetrics(): void {
  const db = opened('metrics.db', metricsBook)
  const write = db.transaction(() => {
    for (let timeMs = START; timeMs < START + HOURS * 3_600_000; timeMs += 10_000) {
      if (timeMs >= DOWN && timeMs < UP) continue
      const bootId = timeMs < DOWN ? OLD : NEW
      const monotonicMs = timeMs - (timeMs < DOWN ? START : UP)
      const isFirst = monotonicMs === 0
      const marks: Mark[] =
        timeMs === UP
          ? [{ kind: 'boot', fromMs: DOWN - 10_000, toMs: UP, message: 'the machine was started anew' }]
          : []
      const times = { timeMs, monotonicMs, boottimeMs: monotonicMs, intervalMs: isFirst ? undefined : 10_000 }
      append(db, { ...times, bootId, rows: rowsAt(timeMs), marks })
    }
  })
  write()
  keep(db, START + HOURS * 3_600_000)
  db.close()
}

function writeEvents(): void {
  const db = opened('events.db', eventsBook)
  const put = db.prepare(
    `INSERT INTO events (boot_id, time, source, type, level, subject, message) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  const event = (clock: string, bootId: string, type: string, level: string, subject: string) =>
    put.run(bootId, `2026-06-15T${clock}Z`, 'systemd', type, level, subject, `${type} ${subject}`)
  event('01:00:05.400000', OLD, 'kernel.oom-kill', 'critical', 'python3')
  event('01:00:07.000000', OLD, 'unit.failed', 'error', 'app.service')
  event('04:59:40.000000', OLD, 'unit.started', 'info', 'backup.service')
  event('06:30:00.000000', NEW, 'unit.failed', 'error', 'other.service')
  for (const [bootId, time] of [
    [OLD, '2026-06-15T00:00:00.000000Z'],
    [NEW, '2026-06-15T05:06:00.000000Z'],
  ])
    db.prepare('INSERT INTO boots VALUES (?, ?, ?)').run(bootId, time, time)
  db.close()
}

function writeUploads(): void {
  const db = opened('uploads.db', uploadsBook)
  const wished = (record: Partial<UploadRecord>) => {
    const plain = { trigger: 'unit', reason: 'unit app.service failed', parameters: {}, timeMs: START } as const
    const whole = { ...plain, createdMs: START, bootId: OLD, state: 'waiting', tries: 0, ...record } as const
    uploadsBook.writes.put(db, { record: whole, mostWaiting: 10 })
  }
  wished({ state: 'uploaded', tries: 2, finishedMs: START + 90_500, sizeBytes: 3 * MIB })
  wished({ state: 'uploaded', trigger: 'schedule', tries: 1, finishedMs: START + 4000, sizeBytes: 12 * MIB })
  wished({ tries: 5, lastError: { kind: 'forbidden', message: 'no', permanent: true } })
  wished({ state: 'gave-up', tries: 50, lastError: { kind: 'unreachable', message: 'no', permanent: false } })
  db.close()
}

writeMetrics()
writeEvents()
writeUploads()
const db = new Database(join(folder.path, 'events.db'), { readonly: true })
db.exec(`ATTACH '${join(folder.path, 'metrics.db')}' AS metrics`)
db.exec(`ATTACH '${join(folder.path, 'uploads.db')}' AS uploads`)
afterAll(() => void db.close())

function answer(question: string): Record<string, unknown>[] {
  const sql = questions.get(question)
  if (sql === undefined) throw new Error(`docs/databases.md does not ask: ${question}`)
  asked.add(question)
  return db.prepare(sql).all() as Record<string, unknown>[]
}

const asked = new Set<string>()

test('what the machine was doing when something was killed', () => {
  const rows = answer('What was the machine doing when something was killed for want of memory?')
  expect(rows).toHaveLength(7)
  expect(rows[0]).toEqual({
    killed: '2026-06-15T01:00:05.400000Z',
    process: 'python3',
    time: '2026-06-15T00:59:10.000Z',
    available_mib: 100,
    waited_for_memory_percent: 60,
    load_1: 0.5,
  })
  expect(rows.at(-1)!['time']).toBe('2026-06-15T01:00:10.000Z')
})

test('which containers were killed or throttled', () => {
  expect(answer('Which containers were killed or throttled, and how close were they to their limit?')).toEqual([
    { name: 'worker', id: 'bbbbbbbbbbbb', killed: 1, most_throttled_percent: 0, most_of_limit_percent: 97.7 },
    { name: 'batch', id: 'cccccccccccc', killed: 0, most_throttled_percent: 40, most_of_limit_percent: 19.5 },
  ])
})

test('the minute with the worst I/O pressure, and who was on top', () => {
  const time = '2026-06-15T02:03:00.000Z'
  expect(answer('Which minute had the worst I/O pressure of the last day, and which processes were on top?')).toEqual([
    { time, percent: 90, name: 'dd', pid: '4711', written_mib_per_second: 200, read_mib_per_second: 0 },
    { time, percent: 90, name: 'postgres', pid: '77', written_mib_per_second: 20, read_mib_per_second: 0 },
  ])
})

test('how soon the disks will be full', () => {
  // 10 GiB, of which 4 GiB and 600 MiB an hour are used; the last whole minute ends at 7:58:50.
  const left = 6144 / 600 - (at('07:58:50') - START) / 3_600_000
  expect(answer('How soon will the disks be full, if they go on as in the last six hours?')).toEqual([
    { mountpoint: '/data', mib_per_hour: 600, hours_left: Math.round(left * 10) / 10 },
  ])
})

test('when a file system became full', () => {
  expect(answer('When did a file system become full?')).toEqual([
    { mountpoint: '/srv', since: '2026-06-15T01:20:00.000Z', until: '2026-06-15T01:49:00.000Z', minutes: 30 },
  ])
})

test('whether there was steal', () => {
  expect(answer('Was CPU time stolen by the hypervisor?')).toEqual([
    { hour: '2026-06-15T03', percent: 6, most_percent: 35, bad_minutes: 10 },
  ])
})

test('where numbers are missing', () => {
  expect(answer('Where are numbers missing, and why?')).toEqual([
    {
      from_time: '2026-06-15T04:59:50.000Z',
      to_time: '2026-06-15T05:06:00.000Z',
      seconds: 370,
      kind: 'boot',
      message: 'the machine was started anew',
    },
  ])
})

test('the last of each boot', () => {
  expect(answer('What was last heard and measured of each boot before it ended?')).toEqual([
    {
      boot_id: OLD,
      last_sample: '2026-06-15T04:59:50.000Z',
      available_mib: 6144,
      load_1: 0.5,
      last_event: '2026-06-15T04:59:40.000000Z unit.started backup.service',
    },
    {
      boot_id: NEW,
      last_sample: '2026-06-15T07:59:50.000Z',
      available_mib: 6144,
      load_1: 0.5,
      last_event: '2026-06-15T06:30:00.000000Z unit.failed other.service',
    },
  ])
})

test('which units failed while memory was short', () => {
  expect(answer('Which units failed while memory or disks were short?')).toMatchObject([
    { subject: 'app.service', available_mib: 100, memory_percent: 60, io_percent: 0 },
  ])
})

test('whether packets were lost', () => {
  expect(answer('Were packets lost, and where?')).toEqual([
    { device: 'eth0', minute: '2026-06-15T04:00', errors: 2, drops: 3 },
  ])
})

test('the busiest hour', () => {
  const rows = answer('At which hour of the day is the machine busiest?')
  expect(rows).toHaveLength(HOURS)
  expect(rows[0]).toEqual({ hour_utc: '02', cpu_percent: 80, load: 1.46, least_available_mib: 6144 })
})

test('what diagd costs', () => {
  expect(answer('What does diagd itself cost?')).toEqual([{ cpu_percent: 0.2, most_mib: 80, cpu_ms_per_sample: 1.5 }])
})

test('which bundles did not arrive', () => {
  const facts = { created: '2026-06-15T00:00:00.000Z', trigger: 'unit', reason: 'unit app.service failed' }
  expect(answer('Which bundles did not arrive, and why?')).toEqual([
    { ...facts, id: 4, state: 'gave-up', tries: 50, error: 'unreachable' },
    { ...facts, id: 3, state: 'waiting', tries: 5, error: 'forbidden' },
  ])
})

test('how long bundles were on their way', () => {
  expect(answer('How long was each bundle on its way?')).toEqual([
    { id: 1, trigger: 'unit', tries: 2, seconds: 90.5, mib: 3 },
    { id: 2, trigger: 'schedule', tries: 1, seconds: 4, mib: 12 },
  ])
})

test('every question was asked, and every view is described', () => {
  expect([...questions.keys()].filter((question) => !asked.has(question))).toEqual([])
  expect(questions.size).toBeGreaterThanOrEqual(10)
  const views = db.prepare(`SELECT name FROM metrics.sqlite_schema WHERE type = 'view'`).pluck().all() as string[]
  const described = (view: string) => page.includes(`| \`${view.replace(/_(?:per_minute|all)$/, '')}\` |`)
  expect(views.filter((view) => !described(view))).toEqual([])
})
