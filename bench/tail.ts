/**
 * The tail of containers beside a Docker engine of its own: what ten quiet containers cost, and a flood; beside it `docker logs -f | gzip` of the same log. Needs
 * root, docker.io and busybox-static. CPU is processor time, so that a machine that does other things as well disturbs it little; lines a second are what
 * engine and tail made of it together.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, copyFileSync, symlinkSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuMs, memoryOf } from './processes.ts'
import type { Row } from './table.ts'

const CHILD = fileURLToPath(new URL('tail-child.ts', import.meta.url))
const QUIET = 10
const LINES = Number(process.env.BENCH_TAIL_LINES ?? 3_000_000)
const TEXT = '2026 INFO request handled path=/api/v1/items status=200 duration=12ms id=abcdef0123456789'
/** As the release is started (packaging/diagd). */
const ENVIRONMENT = { ...process.env, MALLOC_MMAP_THRESHOLD_: '32768' }
const FLAGS = ['--expose-gc', '--max-semi-space-size=1']

export async function tailRows(): Promise<Row[]> {
  const place = mkdtempSync(join(tmpdir(), 'diagd-bench-tail-'))
  const engine = await startEngine(place)
  try {
    const none = await settled('', join(place, 'none'))
    for (let index = 0; index < QUIET; index++) run(place, 'sh', '-c', 'echo quiet; exec sleep 100000')
    const quiet = await settled(engine.socket, join(place, 'quiet'))
    const flood = await floodOf(place, engine.socket)
    return [
      {
        what: `tail: ${QUIET} quiet containers, memory`,
        measured: `${(quiet.anonymousMiB - none.anonymousMiB).toFixed(1)} MiB`,
        beside: '≤ 3 MiB',
      },
      {
        what: `tail: ${QUIET} quiet containers, CPU`,
        measured: `${quiet.percent.toFixed(2)} % of a core`,
        beside: `${none.percent.toFixed(2)} % without`,
      },
      ...flood,
    ]
  } finally {
    for (const id of docker(place, 'ps', '--all', '--quiet').split('\n').filter(Boolean))
      docker(place, 'rm', '--force', id)
    engine.child.kill('SIGTERM')
    await once(engine.child, 'exit')
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
    for (const mount of mounts.filter((path) => path.startsWith(place)).toReversed())
      execFileSync('umount', ['-l', mount])
    rmSync(place, { recursive: true, force: true })
  }
}

async function floodOf(place: string, socket: string): Promise<Row[]> {
  const tail = startTail(socket, join(place, 'flood'))
  await tail.until((lines) => lines === QUIET)
  const before = { cpu: cpuMs(tail.pid), memory: memoryOf(tail.pid) }
  const beganMs = performance.now()
  const id = run(place, 'sh', '-c', `yes "${TEXT}" | head -n ${LINES}`)
  let most = 0
  await tail.until((lines, flood) => {
    most = Math.max(most, memoryOf(tail.pid).residentMiB)
    return lines + flood >= LINES + QUIET
  })
  const seconds = (performance.now() - beganMs) / 1000
  const millions = LINES / 1e6
  const cpu = (cpuMs(tail.pid) - before.cpu) / 1000
  const { flood } = tail
  await tail.stop()
  const peer = `docker -H unix://${socket} logs -f ${id} | gzip > /dev/null`
  const beside = peerSeconds(peer) / millions
  return [
    {
      what: `tail: a flood of ${LINES} lines`,
      measured: `${Math.round(LINES / seconds)} lines/s, ${flood} of them left out`,
      beside: 'all counted',
    },
    {
      what: 'tail: a flood, CPU',
      measured: `${((cpu / seconds) * 100).toFixed(0)} % of a core, ${(cpu / millions).toFixed(2)} s a million lines`,
      beside: `${beside.toFixed(2)} s: docker logs -f | gzip`,
    },
    {
      what: 'tail: a flood, memory',
      measured: `${(most - before.memory.residentMiB).toFixed(0)} MiB more than before`,
      beside: '≤ 48 MiB',
    },
  ]
}

/** Processor time of a pipe. */
function peerSeconds(pipe: string): number {
  const text = execFileSync('bash', ['-c', `TIMEFORMAT='%U %S'; { time { ${pipe}; } 2>&3; } 3>/dev/null 2>&1`], {
    encoding: 'utf8',
  })
  return text
    .trim()
    .split(' ')
    .reduce((all, seconds) => all + Number(seconds), 0)
}

/** Memory and CPU of one that has nothing to do any more. */
async function settled(socket: string, folder: string) {
  const tail = startTail(socket, folder)
  await tail.until((lines) => lines === (socket === '' ? 0 : QUIET))
  // Its thread ends, and what it left is collected.
  await delay(25_000)
  const before = cpuMs(tail.pid)
  await delay(20_000)
  const percent = (cpuMs(tail.pid) - before) / 200
  const { anonymousMiB } = memoryOf(tail.pid)
  await tail.stop()
  return { anonymousMiB, percent }
}

function startTail(socket: string, folder: string) {
  const child = spawn(process.execPath, [...FLAGS, CHILD, socket, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: ENVIRONMENT,
  })
  const state = { lines: 0, flood: 0 }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const [lines, flood] = text.trim().split('\n').at(-1)!.split(' ').map(Number)
    Object.assign(state, { lines, flood })
  })
  return {
    pid: child.pid!,
    get flood() {
      return state.flood
    },
    async until(satisfied: (lines: number, flood: number) => boolean) {
      await once(child.stdout, 'data')
      while (!satisfied(state.lines, state.flood)) await delay(50)
    },
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

async function startEngine(place: string): Promise<{ child: ChildProcess; socket: string }> {
  const socket = join(place, 'docker.sock')
  const without = ['iptables', 'ip6tables', 'ip-forward', 'ip-masq', 'userland-proxy'].map((name) => `--${name}=false`)
  const own = [
    `--data-root=${place}/data`,
    `--exec-root=${place}/exec`,
    `--pidfile=${place}/pid`,
    `--host=unix://${socket}`,
  ]
  const modest = [
    '--bridge=none',
    '--storage-driver=vfs',
    '--exec-opt=native.cgroupdriver=cgroupfs',
    '--shutdown-timeout=1',
  ]
  const child = spawn('/usr/sbin/dockerd', [...without, ...own, ...modest], { stdio: 'ignore' })
  while (!existsSync(socket)) await delay(50)
  const bin = join(place, 'image/bin')
  mkdirSync(bin, { recursive: true })
  copyFileSync('/bin/busybox', join(bin, 'busybox'))
  for (const name of ['sh', 'yes', 'head', 'sleep', 'echo']) symlinkSync('busybox', join(bin, name))
  execFileSync('tar', ['-C', join(place, 'image'), '-cf', join(place, 'image.tar'), '.'])
  docker(place, 'import', join(place, 'image.tar'), 'busybox')
  return { child, socket }
}

function run(place: string, ...command: string[]): string {
  return docker(place, 'run', '--detach', '--network', 'none', 'busybox', ...command)
}

function docker(place: string, ...args: string[]): string {
  return execFileSync('docker', ['-H', `unix://${place}/docker.sock`, ...args], { encoding: 'utf8' }).trim()
}
