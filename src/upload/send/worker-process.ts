/** Starts the process of an upload, and is rid of it. */
import { fork, type ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Failed, failed, said } from '../target/failed.ts'
import { BUNDLE_FD, type FromWorker, type Result, type Start, type ToWorker } from './messages.ts'

/** The SDK takes some 20 MiB of heap; the parts lie beside it. */
const FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=2']
/** Of the last words of one that dies. */
const MOST_STDERR = 2000
/** Beyond all its own time-outs: then it hangs. */
const MOST_ABORT_MS = 45_000

export interface WorkerProcess {
  readonly pid: number | undefined
  /** What is written to it is the bundle. */
  readonly pipe: Writable
  /** Never rejects: a process that dies is a failure, too. */
  readonly result: Promise<Exclude<Result, { failure: unknown }> | Failed>
  readonly gone: Promise<void>
  tell(message: ToWorker): void
  /** Kills it where it does not end by itself. */
  end(): Promise<void>
  readonly kill: () => void
}

export interface WorkerListener {
  onMessage(message: FromWorker): void
}

/** `environment`: nothing of the daemon's own is in it. */
export function startWorker(
  start: Start,
  environment: Readonly<Record<string, string>>,
  { onMessage }: WorkerListener,
): WorkerProcess {
  const child = fork(fileURLToPath(new URL('upload-worker.ts', import.meta.url)), [], {
    cwd: '/',
    // Two arenas of malloc: else each thread of the pool keeps one of its own.
    env: {
      PATH: '/usr/bin:/bin',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      HOME: '/nonexistent',
      MALLOC_ARENA_MAX: '2',
      ...environment,
    },
    execArgv: FLAGS,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
    serialization: 'json',
    // A group of its own: what the terminal or systemd says to diagd reaches it through diagd.
    detached: true,
  })
  let stderr = ''
  child.stderr!.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-MOST_STDERR)))
  const pipe = child.stdio[BUNDLE_FD] as Writable
  for (const stream of [pipe, child.stderr!]) stream.on('error', () => {})
  const { result, gone } = outcomeOf(child, pipe, () => stderr)
  child.on('message', onMessage)
  const tell = (message: ToWorker) => {
    if (child.connected) child.send(message, () => {})
  }
  tell({ kind: 'start', start })
  return {
    pid: child.pid,
    pipe,
    result,
    gone,
    tell,
    async end() {
      const timer = setTimeout(() => child.kill('SIGKILL'), MOST_ABORT_MS)
      await gone
      clearTimeout(timer)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

function outcomeOf(child: ChildProcess, pipe: Writable, stderr: () => string): Pick<WorkerProcess, 'result' | 'gone'> {
  const { promise: result, resolve } = Promise.withResolvers<Awaited<WorkerProcess['result']>>()
  child.on('message', (message: FromWorker) => {
    if (message.kind !== 'result') return
    resolve('failure' in message.result ? new Failed(message.result.failure) : message.result)
  })
  const notStarted = new Promise<void>((done) => {
    child.once('error', (error) => {
      resolve(failed('internal', `the process that uploads cannot be started: ${error.message}`))
      if (child.pid === undefined) done()
    })
  })
  const exited = new Promise<string>((done) => {
    child.once('exit', (code, signal) => done(signal ?? `code ${code}`))
  })
  // Its last message may come after the news of its end.
  const silent = new Promise<void>((done) => void child.once('disconnect', done))
  const ended = Promise.all([exited, silent]).then(([how]) => {
    const words = said(stderr())
    resolve(failed('killed', `the process that uploads ended too early (${how})${words === '' ? '' : `: ${words}`}`))
    pipe.destroy()
    child.stderr?.destroy()
  })
  return { result, gone: Promise.race([notStarted, ended]) }
}
