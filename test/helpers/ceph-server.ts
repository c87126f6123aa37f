/** One Ceph: a monitor, a store in memory and a gateway that speaks S3, on free ports and in a folder of its own. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'

const PROGRAMS = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph']

export function hasCeph(): boolean {
  return PROGRAMS.every((program) => spawnSync(program, ['--version']).status === 0)
}

export const KEYS = { accessKeyId: 'AKIDIAGDTEST', secretAccessKey: 'the-secret-of-the-test/+=' }

export interface Ceph {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: URL
  readonly bucket: string
  /** Of the test: to look at what arrived. */
  readonly client: S3Client
}

export interface StartedCeph extends Ceph {
  stop(): Promise<void>
}

export async function startCeph(): Promise<StartedCeph> {
  const folder = mkdtempSync(join(tmpdir(), 'diagd-ceph-'))
  const running: ChildProcess[] = []
  const stop = async () => {
    for (const child of running.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      // Asked to end, the gateway takes half a minute.
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const port = await gateway(folder, running)
    const endpoint = new URL(`http://127.0.0.1:${port}`)
    const client = new S3Client({
      endpoint: endpoint.href,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: KEYS,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    })
    const bucket = 'bundles'
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    return { port, endpoint, client, bucket, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function gateway(folder: string, running: ChildProcess[]): Promise<number> {
  const [monitor, port] = [await freePort(), await freePort()]
  const file = join(folder, 'ceph.conf')
  writeFileSync(file, configuration(folder, monitor, port))
  for (const part of ['mon', 'osd', 'rgw']) mkdirSync(join(folder, part))
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, ['-c', file, ...args], { stdio: 'pipe', timeout: 110_000 })
  const start = (program: string, ...args: string[]) => {
    const child = spawn(program, ['-c', file, ...args, '-f'], { stdio: 'ignore' })
    running.push(child)
    return child
  }
  const store = randomUUID()
  run('ceph-mon', '-i', 'a', '--mkfs', '--no-mon-config', '--public-addr', `v1:127.0.0.1:${monitor}`)
  start('ceph-mon', '-i', 'a', '--no-mon-config')
  askMonitor(file, 'osd', 'new', store)
  run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', store)
  const storing = keepStarting(() => start('ceph-osd', '-i', '0'))
  await listening(start('radosgw', '-n', 'client.rgw'), port, join(folder, 'client.rgw.log')).finally(storing.isUp)
  const keys = [`--access-key=${KEYS.accessKeyId}`, `--secret-key=${KEYS.secretAccessKey}`]
  run('radosgw-admin', '-n', 'client.rgw', 'user', 'create', '--uid=diagd', '--display-name=diagd', ...keys)
  return port
}

/** On a busy machine a store may ask the monitor before it knows whose it is, and ends by that ("wrong fsid"). Then it is started anew. */
function keepStarting(start: () => ChildProcess): { readonly isUp: () => void } {
  let up = false
  const again = () => {
    start().once('exit', (code) => {
      if (code && !up) again()
    })
  }
  again()
  return { isUp: () => void (up = true) }
}

/** On a loaded machine its first question hangs at times, for ever; asked again it is answered at once, and the same. */
function askMonitor(file: string, ...args: string[]): void {
  for (let asked = 1; asked <= 5; asked++) {
    const { status } = spawnSync('ceph', ['-c', file, ...args], { timeout: 15_000, killSignal: 'SIGKILL' })
    if (status === 0) return
  }
  throw new Error(`the monitor of Ceph does not answer: ${args.join(' ')}`)
}

async function listening(child: ChildProcess, port: number, log: string): Promise<void> {
  while (!(await fetch(`http://127.0.0.1:${port}`).catch(() => undefined))) {
    if (child.exitCode !== null) throw new Error(`radosgw did not start: ${readFileSync(log, 'utf8').slice(-2000)}`)
    await delay(20)
  }
}

/** In its own folder, without authentication between its parts, and quick: else it agrees with itself every second or two. */
function configuration(folder: string, monitor: number, port: number): string {
  return `[global]
fsid = ${randomUUID()}
mon_host = v1:127.0.0.1:${monitor}
public_addr = 127.0.0.1
ms_bind_msgr2 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = 2147483648
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_tick_interval = 1
osd_tick_interval = 0.2
run_dir = ${folder}
admin_socket =
log_file = ${folder}/$name.log
log_to_stderr = false
mon_data = ${folder}/mon
osd_data = ${folder}/osd
rgw_data = ${folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:${port}
rgw_enable_gc_threads = false
rgw_enable_lc_threads = false
[mon.a]
mon_addr = v1:127.0.0.1:${monitor}
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
