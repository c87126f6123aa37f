/**
 * What an upload costs: to a real S3 on this machine, beside lib-storage with a ready file, and to one that is slow.
 *
 * Both are a process each, bundled into JavaScript in the same way and as polite, timed from the outside: from before it is started until it is gone. What
 * differs is that ours is fed by a pipe. The figure that knows no start of lib-storage, only its own upload, is told beside it.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { rolldown } from 'rolldown'
import { bundleApp } from '../packaging/bundle.ts'
import type { startSending } from '../src/upload/send/sending.ts'
import { KEYS, startCeph, type Ceph } from '../test/helpers/ceph-server.ts'
import { median, spread, type Row } from './table.ts'

const MIB = 1024 * 1024
const FILE_MIB = 256
const SLOW_MIB = 96
const WARM_MIB = 64
const RUNS = 3
/** What the slow one takes at once, and how often. */
const SLOW = { bytes: 64 * 1024, everyMs: 4 }

export async function uploadRows(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'diagd-bench-'))
  const ceph = await startCeph()
  try {
    const file = join(folder, 'bundle')
    const mebibyte = Buffer.alloc(MIB, 'a bundle is not compressible, and nobody looks ')
    for (let written = 0; written < FILE_MIB; written++) appendFileSync(file, mebibyte)
    const start = await released(join(folder, 'app'))
    const script = await bundledPeer(folder)
    // What the first start of any process costs is not of an upload, nor is what V8 takes for the first many writes to any stream.
    await send(start, ceph, ceph.endpoint, file, WARM_MIB)
    const ours: Sent[] = []
    const peers: Peer[] = []
    const beforeMib = heldMib()
    for (let run = 0; run < RUNS; run++) {
      ours.push(await send(start, ceph, ceph.endpoint, file, FILE_MIB))
      peers.push(peer(script, ceph, file))
    }
    const afterMib = heldMib()
    const slow = await send(start, ceph, await slowly(ceph.port), file, SLOW_MIB)
    const speeds = ours.map(({ mibPerSecond }) => mibPerSecond)
    const whole = peers.map(({ mibPerSecond }) => mibPerSecond)
    const loaded = peers.map(({ loadedMibPerSecond }) => loadedMibPerSecond)
    const share = (of: readonly number[]) => (median(speeds) / median(of)).toFixed(2)
    const peaks = ours.map(({ peakMib }) => peakMib)
    return [
      {
        what: `upload of ${FILE_MIB} MiB, its process and all`,
        measured: spread(speeds, 'MiB/s'),
        beside: `lib-storage, a ready file, its process and all: ${spread(whole, 'MiB/s')}; ${share(whole)} of it, promised ≥ 0.9`,
      },
      {
        what: 'the same',
        measured: spread(speeds, 'MiB/s'),
        beside: `lib-storage without its start: ${spread(loaded, 'MiB/s')}; ${share(loaded)} of it`,
      },
      {
        what: 'CPU of the process that uploads',
        measured: spread(
          ours.map(({ cpuMs }) => cpuMs),
          'ms',
        ),
        beside: `lib-storage's: ${spread(
          peers.map(({ cpuMs }) => cpuMs),
          'ms',
        )}`,
      },
      { what: 'memory of the process that uploads', measured: spread(peaks, 'MiB'), beside: 'promised ≤ 130 MiB' },
      { what: 'the same, the target being slow', measured: `${slow.peakMib.toFixed(0)} MiB`, beside: 'the same' },
      {
        what: `what ${RUNS} uploads leave in use in who started them`,
        measured: `${(afterMib - beforeMib).toFixed(1)} MiB`,
        beside: 'promised ≤ 5 MiB',
      },
    ]
  } finally {
    await ceph.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Start = typeof startSending

/** As it runs on a machine: without the TypeScript, which costs memory, too. */
async function released(folder: string): Promise<Start> {
  const { files } = await bundleApp('0.0.0')
  mkdirSync(folder)
  for (const { name, content } of files) writeFileSync(join(folder, name), content)
  const { startSending: start } = (await import(join(folder, 'sending.js'))) as { startSending: Start }
  return start
}

interface Sent {
  readonly mibPerSecond: number
  readonly cpuMs: number
  readonly peakMib: number
}

async function send(start: Start, { bucket }: Ceph, endpoint: URL, file: string, mib: number): Promise<Sent> {
  const environment = { AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey }
  const place = { endpoint, region: 'us-east-1', pathStyle: true, credentials: { from: 'environment' } } as const
  const target = { kind: 's3', bucket, key: '{name}', tags: {}, ...place } as const
  const what = { contentType: 'application/gzip', metadata: {}, tags: {}, mostBytes: undefined }
  const began = performance.now()
  const sending = start({ target, key: 'ours', ...what }, { environment })
  let peakMib = 0
  let cpuMs = 0
  const watch = setInterval(() => {
    peakMib = Math.max(peakMib, rssMib(String(sending.pid)))
    cpuMs = Math.max(cpuMs, cpuMsOf(String(sending.pid)))
  }, 10)
  await feed(file, mib, sending.sink)
  const result = await sending.end()
  clearInterval(watch)
  if ('failure' in result) throw new Error(result.failure.message)
  return { mibPerSecond: mib / ((performance.now() - began) / 1000), peakMib, cpuMs }
}

/** By memory that is used again: what is left in this process is to be of the upload, not of reading. */
async function feed(file: string, mib: number, sink: ReturnType<Start>['sink']): Promise<void> {
  const chunk = Buffer.alloc(256 * 1024)
  const handle = await open(file)
  for (let at = 0; at < mib * MIB; at += chunk.length) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(chunk.length, mib * MIB - at))
    await sink.write(chunk.subarray(0, bytesRead))
  }
  await handle.close()
}

/** 0: it is gone. */
function rssMib(pid: string): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Heap and buffers of this process that are in use. Its whole memory would tell of the bundler that ran here before. */
function heldMib(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / MIB
}

/** Up to now, its threads and the kernel on its behalf. 0: it is gone. */
function cpuMsOf(pid: string): number {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
    const [user, system] = fields.split(' ').slice(11, 13)
    // Of 100 a second, on every Linux that there is.
    return (Number(user) + Number(system)) * 10
  } catch {
    return 0
  }
}

interface Peer {
  readonly mibPerSecond: number
  readonly loadedMibPerSecond: number
  readonly cpuMs: number
}

/** As ours is: one file of JavaScript that looks for no packages. @returns its path. */
async function bundledPeer(folder: string): Promise<string> {
  const file = join(folder, 'peer.mjs')
  const bundle = await rolldown({ input: fileURLToPath(new URL('upload-peer.ts', import.meta.url)), platform: 'node' })
  await bundle.write({ format: 'esm', file, codeSplitting: false })
  await bundle.close()
  return file
}

function peer(script: string, { endpoint, bucket }: Ceph, file: string): Peer {
  const env = { PATH: process.env.PATH!, BENCH_KEY: KEYS.accessKeyId, BENCH_SECRET: KEYS.secretAccessKey }
  // As an upload of diagd runs: it makes way for others.
  const argv = ['-n', '19', process.execPath, script, endpoint.href, bucket, file]
  const began = performance.now()
  const said = execFileSync('nice', argv, { env, encoding: 'utf8' })
  const seconds = (performance.now() - began) / 1000
  const { loadedMs, cpuMs } = JSON.parse(said) as { loadedMs: number; cpuMs: number }
  return { mibPerSecond: FILE_MIB / seconds, loadedMibPerSecond: FILE_MIB / (loadedMs / 1000), cpuMs }
}

/** In front of it, a line that takes a little at a time. */
async function slowly(port: number): Promise<URL> {
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) socket.on('error', () => {})
    upstream.pipe(client)
    void trickle(client, upstream)
  }).listen(0, '127.0.0.1')
  server.unref()
  await once(server, 'listening')
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

async function trickle(from: Socket, to: Socket): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    to.write(chunk)
    await delay((SLOW.everyMs * chunk.length) / SLOW.bytes)
  }
  to.end()
}
