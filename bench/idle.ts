/** Processor time and memory of daemons that nobody asks: the service on the test machine, the release and the checkout here. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { get } from '../test/system/harness/diagd.ts'
import type { Vm } from '../test/system/harness/vm.ts'
import { startDaemon } from './daemon.ts'
import type { Commands } from './footprint.ts'
import { cpuMs, memoryOf, workerThreads } from './processes.ts'
import type { Row } from './table.ts'
import { groupOf } from './unit-group.ts'

/** After its start a daemon is taken for idle. */
const SETTLED_MS = 10_000
const IDLE_MS = 60_000
const AFTER_BUNDLE_MS = 90_000

interface Idler {
  readonly name: string
  readonly pid: number
  bundle(): Promise<unknown>
}

export async function idleRows(vm: Vm, commands: Commands, folder: string): Promise<Row[]> {
  const release = await startDaemon(commands.release, join(folder, 'release'))
  const checkout = await startDaemon(commands.checkout, join(folder, 'checkout'))
  try {
    const idlers = [await serviceOf(vm), { name: 'release here', ...release }, { name: 'checkout here', ...checkout }]
    const idle = await processorRows(idlers)
    const before = memoryRows(idlers, 'before any bundle')
    for (const { bundle } of idlers) await bundle()
    const right = memoryRows(idlers, 'right after a bundle', false)
    await delay(AFTER_BUNDLE_MS)
    return [...idle, ...before, ...right, ...memoryRows(idlers, `${AFTER_BUNDLE_MS / 1000} s after a bundle`)]
  } finally {
    await Promise.all([release.stop(), checkout.stop()])
  }
}

async function serviceOf(vm: Vm): Promise<Idler> {
  await vm.run('systemctl', 'restart', 'diagd')
  const [pid] = (await groupOf(vm, 'diagd.service')).pids()
  const credential = await vm.run('cat', '/etc/diagd/admin.header')
  return { name: 'service', pid: pid!, bundle: () => get(vm, '/debug-package', credential) }
}

async function processorRows(idlers: readonly Idler[]): Promise<Row[]> {
  await delay(SETTLED_MS)
  const before = idlers.map(({ pid }) => cpuMs(pid))
  const began = performance.now()
  await delay(IDLE_MS)
  const elapsedMs = performance.now() - began
  return idlers.map(({ name, pid }, at) => ({
    what: `idle for ${IDLE_MS / 1000} s, ${name}`,
    measured: `${(((cpuMs(pid) - before[at]!) / elapsedMs) * 100).toFixed(2)} % of a core`,
    beside: '≤ 0.2 %',
  }))
}

/** What is promised depends on its threads. */
function memoryRows(idlers: readonly Idler[], when: string, promised = true): Row[] {
  return idlers.map(({ name, pid }) => {
    const { residentMiB, anonymousMiB } = memoryOf(pid)
    const workers = workerThreads(pid)
    const promise = workers === 0 ? '≤ 80 MiB' : `≤ 96 MiB: ${workers} worker thread${workers > 1 ? 's' : ''}`
    return {
      what: `RSS ${when}, ${name}`,
      measured: `${residentMiB.toFixed(1)} MiB, ${anonymousMiB.toFixed(1)} of it anonymous`,
      beside: promised ? promise : '',
    }
  })
}
