/**
 * What it costs to follow the journal: a real one that grows by 2 000 lines a second, and one that does not grow. CPU of
 * this process (the followers, a store in memory, for the real one has rows of its own, and what makes up the lines) and of its journalctl, in percent of
 * one core. Needs the package systemd-journal-remote, which writes the journal.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { watchClock } from '../src/record/recorder/clock.ts'
import { followCloudInit } from '../src/record/cloud-init/follow.ts'
import { followJournal } from '../src/record/journal/follow.ts'
import { FIXED_PATH } from '../src/sources/lookup.ts'
import type { Row } from './table.ts'
import type { Workplace } from './workplace.ts'

const REMOTE = '/lib/systemd/systemd-journal-remote'
const LINES_PER_SECOND = 2000
/** One line of that many makes an event. */
const LINES_PER_EVENT = 200
const EVERY_MS = 50
const SECONDS = Number(process.env.BENCH_FOLLOW_SECONDS ?? 20)
const TICKS_PER_SECOND = 100

export async function followRows(work: Workplace): Promise<Row[]> {
  const folder = mkdtempSync(join(work.folder, 'journal-'))
  const writer = spawn(REMOTE, ['-o', join(folder, 'system.journal'), '-'], { stdio: ['pipe', 'ignore', 'ignore'] })
  let written = 0
  const write = (count: number) => {
    let text = ''
    for (let index = 0; index < count; index++) text += entry(written++)
    writer.stdin.write(text)
  }
  write(10)
  while (readdirSync(folder).length === 0) await delay(10)
  let stored = 0
  const sink = {
    append: async (events: readonly unknown[]) => void (stored += events.length),
    cursor: async () => undefined,
  }
  const now = () => ({ timeMs: Date.now(), bootId: BOOT })
  const follower = followJournal({ sink, path: FIXED_PATH, place: { directory: folder }, now })
  const cloudInit = followCloudInit({ sink, file: join(folder, 'cloud-init.log'), bootAt: async () => BOOT })
  const clock = watchClock(BOOT, () => {})
  try {
    await follower.caughtUp
    const idle = await cpu(() => delay(SECONDS * 1000))
    const before = follower.health().lines
    const busy = await cpu(async () => {
      const beganMs = performance.now()
      for (let sent = 0; sent < SECONDS * LINES_PER_SECOND;) {
        await delay(EVERY_MS)
        const due = Math.floor(((performance.now() - beganMs) / 1000) * LINES_PER_SECOND)
        write(due - sent)
        sent = due
      }
    })
    while (follower.health().lines < written) await delay(50)
    const lines = follower.health().lines - before
    return [
      { what: `follow a journal that is idle, ${SECONDS} s`, measured: percents(idle), beside: '≤ 0.2 % together' },
      {
        what: `follow a journal at ${LINES_PER_SECOND} lines/s, ${lines} lines written and read, ${stored} events`,
        measured: percents(busy),
        beside: 'none of the lines is lost',
      },
    ]
  } finally {
    clock.close()
    await Promise.all([follower.close(), cloudInit.close()])
    writer.stdin.end()
  }
}

const BOOT = '5'.repeat(32)
const FAILED = { _PID: '1', MESSAGE_ID: 'd9b373ed55a64feb8242e02dbe79a49c', UNIT_RESULT: 'exit-code' }

/** As large as the entries of a service whose words journald takes: some 20 fields. */
function entry(number: number): string {
  const us = String(Date.now() * 1000 + (number % 1000))
  const event = number % LINES_PER_EVENT === 0 ? { ...FAILED, UNIT: `app-${number}.service` } : { _PID: '812' }
  const fields = {
    __REALTIME_TIMESTAMP: us,
    __MONOTONIC_TIMESTAMP: us,
    _BOOT_ID: BOOT,
    _MACHINE_ID: 'c'.repeat(32),
    _TRANSPORT: 'stdout',
    PRIORITY: '6',
    SYSLOG_FACILITY: '3',
    SYSLOG_IDENTIFIER: 'app',
    _UID: '998',
    _GID: '998',
    _COMM: 'app',
    _EXE: '/usr/lib/app/bin/app',
    _CMDLINE: '/usr/lib/app/bin/app --config /etc/app/config.yaml --listen 127.0.0.1:8080',
    _CAP_EFFECTIVE: '0',
    _SYSTEMD_CGROUP: '/system.slice/app.service',
    _SYSTEMD_UNIT: 'app.service',
    _SYSTEMD_SLICE: 'system.slice',
    _SYSTEMD_INVOCATION_ID: 'd'.repeat(32),
    _STREAM_ID: 'e'.repeat(32),
    _HOSTNAME: 'web-1',
    MESSAGE: `level=info msg="request served" path=/api/v1/items/${number} status=200 duration_ms=${number % 97}`,
    ...event,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}=${value}\n`)
  return `${lines.join('')}\n`
}

interface Cpu {
  readonly own: number
  readonly journalctl: number
}

/** Percent of one core while `work` ran. */
async function cpu(work: () => Promise<unknown>): Promise<Cpu> {
  const [own, child, beganMs] = [process.cpuUsage(), childSeconds(), performance.now()]
  await work()
  const seconds = (performance.now() - beganMs) / 1000
  const { user, system } = process.cpuUsage(own)
  return { own: (user + system) / 1e4 / seconds, journalctl: ((childSeconds() - child) * 100) / seconds }
}

/** CPU time of journalctl, the child of this process that follows. */
function childSeconds(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ')
  const stats = children.map((pid) => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  const words =
    stats
      .find((stat) => stat.includes('(journalctl)'))
      ?.replace(/^.*\) /s, '')
      .split(' ') ?? []
  return (Number(words[11] ?? 0) + Number(words[12] ?? 0)) / TICKS_PER_SECOND
}

function percents({ own, journalctl }: Cpu): string {
  return `${own.toFixed(2)} % of a core, and journalctl ${journalctl.toFixed(2)} %`
}
