/** What an upload costs: to a real S3 on this machine, beside lib-storage with a ready file, and to one that is slow. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bundleApp } from '../packaging/bundle.ts'
import type { startSending } from '../src/upload/send/sending.ts'
import { KEYS, startCeph, type Ceph } from '../test/helpers/ceph-server.ts'
import { median, spread, type Row } from './table.ts'

const MIB = 1024 * 1024
const FILE_MIB = 256
const SLOW_MIB = 96
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
    // What the first start of any process costs is not of an upload.
    await send(start, ceph, ceph.endpoint, file, 1)
    const ours: Sent[] = []
    const peers: number[] = []
    const beforeMib = rssMib('self')
    for (let run = 0; run < RUNS; run++) {
      ours.push(await send(start, ceph, ceph.endpoint, file, FILE_MIB))
      peers.push(FILE_MIB / (peer(ceph, file) / 1000))
    }
    const afterMib = rssMib('self')
    const slow = await send(start, ceph, await slowly(ceph.port), file, SLOW_MIB)
    const speeds = ours.map(({ mibPerSecond }) => mibPerSecond)
    const beside = `lib-storage, a ready file: ${spread(peers, 'MiB/s')}; ${(median(speeds) / median(peers)).toFixed(2)} of it, promised ≥ 0.9`
    const peaks = ours.map(({ peakMib }) => peakMib)
    return [
      { what: `upload of ${FILE_MIB} MiB, its process and all`, measured: spread(speeds, 'MiB/s'), beside },
      { what: 'memory of the process that uploads', measured: spread(peaks, 'MiB'), beside: 'promised ≤ 130 MiB' },
      { what: 'the same, the target being slow', measured: `${slow.peakMib.toFixed(0)} MiB`, beside: 'the same' },
      {
        what: `what ${RUNS} uploads leave in who started them`,
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
  const watch = setInterval(() => void (peakMib = Math.max(peakMib, rssMib(String(sending.pid)))), 10)
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024, end: mib * MIB - 1 }))
    await sending.sink.write(chunk as Buffer)
  const result = await sending.end()
  clearInterval(watch)
  if ('failure' in result) throw new Error(result.failure.message)
  return { mibPerSecond: mib / ((performance.now() - began) / 1000), peakMib }
}

/** 0: it is gone. */
function rssMib(pid: string): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

function peer({ endpoint, bucket }: Ceph, file: string): number {
  const script = fileURLToPath(new URL('upload-peer.ts', import.meta.url))
  const env = { PATH: process.env.PATH!, BENCH_KEY: KEYS.accessKeyId, BENCH_SECRET: KEYS.secretAccessKey }
  // As an upload of diagd runs: it makes way for others.
  const argv = ['-n', '19', process.execPath, script, endpoint.href, bucket, file]
  return Number(execFileSync('nice', argv, { env, encoding: 'utf8' }))
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
