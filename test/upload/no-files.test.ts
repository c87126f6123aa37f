/** An upload is streamed: nothing of it lies on a disk of the machine, not even for a moment. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithCeph, KEYS } from '../helpers/ceph.ts'
import { ownFolder, startDaemon, type TestDaemon } from '../helpers/daemon.ts'
import { MIB, objectOf } from '../helpers/upload.ts'

const hasStrace = spawnSync('strace', ['-V']).status === 0
if (!hasStrace && process.env['CI']) throw new Error('this needs strace')

const NAMES =
  'execve,openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,truncate,memfd_create'
const BYTES = 'write,pwrite64,writev,pwritev,pwritev2,ftruncate,fallocate,copy_file_range,sendfile,splice'

/** What a daemon and all that it starts do from now on. @returns ends it, and gives each call as a line. */
async function traced(pid: number, trace: string): Promise<() => Promise<string[]>> {
  const strace = spawn(
    'strace',
    ['-f', '-yy', '-s', '300', '-e', `trace=${NAMES},${BYTES}`, '-o', trace, '-p', `${pid}`],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const ended = once(strace, 'exit')
  onTestFinished(() => void strace.kill('SIGKILL'))
  for await (const line of createInterface(strace.stderr)) if (/ attached/.test(line)) break
  strace.stderr.resume()
  return async () => {
    strace.kill('SIGINT')
    await ended
    return callsOf(readFileSync(trace, 'latin1'))
  }
}

/** A call that another thread came between is on two lines. */
function callsOf(trace: string): string[] {
  const begun = new Map<string, string>()
  return trace.split('\n').flatMap((line) => {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest)
    if (unfinished) begun.set(pid, unfinished[1]!)
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    if (resumed) return [`${begun.get(pid) ?? ''}${resumed[1]}`]
    return unfinished || rest === '' ? [] : [rest]
  })
}

/** Of a file that came to be, was opened for writing or was written. Devices and /proc hold nobody's data. */
function writtenFile(call: string): string | undefined {
  const [, name = ''] = /^(\w+)\(/.exec(call) ?? []
  const isReading = name.startsWith('open') && !/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE/.test(call)
  if (/ = -1 /.test(call) || name === 'execve' || isReading) return undefined
  // `write(5</a/file>, …`, and `openat(AT_FDCWD</here>, "/a/file", …`.
  const [, path] = (BYTES.split(',').includes(name) ? /^\w+\(\d+<(\/[^>]*)>/ : /"([^"]*)"/).exec(call) ?? []
  return path === undefined || /^\/(?:dev|proc)\//.test(path) ? undefined : path
}

/** Bytes that went to others over TCP. */
function sentBytes(calls: readonly string[]): number {
  const sent = calls.map((call) => /^writev?\(\d+<(?:TCP|socket):.*\)\s+= (\d+)$/.exec(call)?.[1])
  return sent.reduce((sum, bytes) => sum + Number(bytes ?? 0), 0)
}

interface Shown {
  readonly state: string
  readonly key: string
  readonly sizeBytes: number
}

/** Asks until it is so: nothing else tells. */
async function arrived(daemon: TestDaemon): Promise<Shown> {
  for (;;) {
    const { uploads } = (await daemon.ask('GET', '/uploads')).json() as { uploads: Shown[] }
    const there = uploads.find(({ state }) => state === 'uploaded')
    if (there) return there
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describeWithCeph('an upload', (ceph) => {
  test.runIf(hasStrace)(
    `${hasStrace ? '' : 'SKIPPED: needs strace: '}of several parts writes to the databases of the state folder, and to no other file`,
    async () => {
      const folder = ownFolder()
      const large = join(folder, 'large.txt')
      writeFileSync(
        large,
        randomBytes(9 * MIB)
          .toString('base64')
          .replaceAll(/.{76}/g, '$&\n'),
      )
      mkdirSync(join(folder, 'config/extras.d'), { recursive: true })
      writeFileSync(join(folder, 'config/extras.d/large.conf'), `${large}\n`)
      const target = `s3://${ceph().bucket}/{node}/{name}`
      const uploads = { target, endpoint: ceph().endpoint.href, bundle: { only: 'extras' } }
      const keys = { AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey }
      const configuration = { DIAGD_UPLOADS: JSON.stringify(uploads), DIAGD_CONFIG_DIR: join(folder, 'config') }
      const daemon = await startDaemon({ ...configuration, ...keys }, folder)
      const end = await traced(daemon.running.child.pid!, join(folder, 'trace'))
      expect((await daemon.ask('POST', '/uploads')).status).toBe(202)
      const { key, sizeBytes } = await arrived(daemon)
      const calls = await end()

      expect(sizeBytes).toBeGreaterThan(8 * MIB)
      expect(await objectOf(ceph(), key)).toHaveLength(sizeBytes)
      // It has seen the child, and all that it sent.
      expect(calls.filter((call) => /^execve\(.*upload-worker/.test(call))).toHaveLength(1)
      expect(sentBytes(calls)).toBeGreaterThan(sizeBytes)
      const files = new Set(calls.flatMap((call) => writtenFile(call) ?? []))
      const isDatabase = (path: string) =>
        path.startsWith(`${daemon.state}/`) && /\/\w+\.db(?:-wal|-shm|-journal)?$/.test(path)
      expect([...files].filter((path) => !isDatabase(path))).toEqual([])
      expect([...files].some((path) => path.startsWith(join(daemon.state, 'uploads.db')))).toBe(true)
    },
  )
})
