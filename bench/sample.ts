/** What it costs to look at this machine once: as it is, and with 300 processes and 10 containers. As root, for the latter. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseMountinfo } from '../src/sources/mounts.ts'
import { createSampler } from '../src/record/metrics/sampler.ts'
import { spread, type Row } from './table.ts'

const PROCESSES = 300
const CONTAINERS = 10
/** Between two samples of a daemon lie 10 s, in which caches are lost to others; a second is enough for that. */
const PAUSE_MS = 1000
const SAMPLES = 30
/** What the just-in-time compiler needs. */
const WARM_SAMPLES = 20
const INTERVAL_MS = 10_000

/** Never: naming processes is a case of its own. */
const CALM = { cpu: 101, memory: 101, io: 101 }
const PRESSED = { cpu: 0, memory: 0, io: 0 }

export async function sampleRows(): Promise<Row[]> {
  const rows = await rowsOf('a sample of this machine', CALM)
  const processes = await startProcesses(PROCESSES - processCount())
  const groups = putIntoGroups(processes.slice(0, CONTAINERS))
  try {
    return [...rows, ...(await rowsOf('a crowd', CALM)), ...(await rowsOf('a crowd, under pressure', PRESSED))]
  } finally {
    await Promise.all(processes.map(end))
    groups.remove()
  }
}

async function rowsOf(what: string, pressure: typeof CALM): Promise<Row[]> {
  const sampler = createSampler({ intervalMs: INTERVAL_MS, pressure })
  for (let count = 0; count < WARM_SAMPLES; count++) sampler.sample()
  const costs: number[] = []
  for (let count = 0; count < SAMPLES; count++) {
    await delay(PAUSE_MS)
    costs.push(sampler.sample().reading.costMs.cpu)
  }
  const seen = sampler.latest()!.rows
  const containers = seen.filter(({ subject }) => subject === 'container').length
  const crowd = `${seen[0]!.values.processes} processes, ${containers} containers`
  const share = (100 * costs.reduce((sum, cost) => sum + cost, 0)) / costs.length / INTERVAL_MS
  return [
    { what: `CPU: ${what} (${crowd})`, measured: spread(costs, 'ms', 1), beside: '' },
    { what: 'at one every 10 s', measured: `${share.toFixed(3)} % of a core`, beside: '≤ 0.3 %' },
  ]
}

function processCount(): number {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length
}

async function startProcesses(count: number): Promise<ChildProcess[]> {
  const children = Array.from({ length: Math.max(count, CONTAINERS) }, () =>
    spawn('sleep', ['3600'], { stdio: 'ignore' }),
  )
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('spawn', resolve))))
  return children
}

function end(child: ChildProcess): Promise<unknown> {
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  return ended
}

/** Each into a control group as Docker makes them, for every controller there is; none where that is not allowed. */
function putIntoGroups(processes: readonly ChildProcess[]): { remove(): void } {
  const trees = parseMountinfo(readFileSync('/proc/self/mountinfo'))
    .filter(({ type, root }) => (type === 'cgroup' || type === 'cgroup2') && root === '/')
    .map(({ mountPoint }) => `${mountPoint}/diagd-bench-${process.pid}`)
  const folders: string[] = []
  const make = (folder: string) => {
    mkdirSync(folder)
    folders.unshift(folder)
  }
  const remove = () => folders.forEach((folder) => rmdirSync(folder))
  try {
    for (const tree of trees) make(tree)
    for (const [at, { pid }] of processes.entries()) {
      for (const tree of trees) {
        const folder = `${tree}/${at.toString(16).repeat(64)}`
        make(folder)
        enter(folder, pid!)
      }
    }
  } catch (error) {
    console.error(`control groups of the bench: ${String(error)}`)
  }
  return { remove }
}

/** A cpuset takes nobody before it has CPUs and memory. */
function enter(folder: string, pid: number): void {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    if (folder.includes('/cpuset/')) writeFileSync(`${folder}/${name}`, readFileSync(`${folder}/../../${name}`))
  }
  writeFileSync(`${folder}/cgroup.procs`, String(pid))
}
