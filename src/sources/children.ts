/** Starting a child in a process group of its own, and being rid of the whole group. */
import type { ChildProcess } from 'node:child_process'
import type { EventEmitter } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { childEnvironment } from './environment.ts'
import { findCommand } from './lookup.ts'
import { SourceError } from './source.ts'
import { StderrKeeper } from './stderr.ts'

/** How long a group may take to obey SIGTERM, and the kernel to finish one that got SIGKILL. */
const GRACE_MS = 1000
/** Orphans of the group die with it, but only PID 1 takes them off the table, and in containers it may never. */
const ORPHANS_MS = 100

export interface Exit {
  /** null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Starts `file` with its arguments, at the lowest CPU and I/O priority, reading nothing yet. */
export async function startChild(file: string, args: readonly string[], path: string): Promise<Child> {
  const { execa } = await import('execa')
  const prefix = await priorityPrefix(path)
  const [first, ...rest] = [...prefix, file, ...args] as [string, ...string[]]
  const running = execa(first, rest, {
    cwd: '/',
    env: childEnvironment(path),
    extendEnv: false,
    stdin: 'ignore',
    buffer: false,
    reject: false,
    cleanup: false,
    // Node.js calls setsid(): the child leads a process group that can be signalled as a whole.
    detached: true,
    stripFinalNewline: false,
  })
  const { pid, nodeChildProcess } = running
  if (pid === undefined) {
    const result = await running
    throw new SourceError('failed', `cannot be executed: ${file}: ${result.shortMessage}`)
  }
  running.catch(() => {})
  return new Child(pid, nodeChildProcess, running.stdout, running.stderr)
}

export class Child {
  readonly pid: number
  readonly stdout: Readable
  readonly stderr: Readable
  readonly kept = new StderrKeeper()
  /** Set once the child itself is gone; others of its group may live on. */
  exit: Exit | undefined
  readonly exited: Promise<void>
  readonly #process: ChildProcess

  constructor(pid: number, process: ChildProcess, stdout: Readable, stderr: Readable) {
    this.pid = pid
    this.#process = process
    this.stdout = stdout
    this.stderr = stderr
    for (const stream of [stdout, stderr]) stream.on('error', () => {})
    // A listener from the start puts the stream in paused mode: the child is read only when somebody pulls.
    stdout.on('readable', () => {})
    stderr.on('data', (chunk: Buffer) => this.kept.push(chunk))
    this.exited = new Promise((resolve) => {
      process.once('exit', (code, signal) => {
        this.exit = { code, signal }
        resolve()
      })
    })
    remember(pid)
  }

  /** Both outputs closed by everybody who held them, and read to their end. */
  get closed(): boolean {
    return isOver(this.stdout) && isOver(this.stderr)
  }

  /** Every event after which there may be something to read, or nothing more to come. */
  happenings(): readonly (readonly [EventEmitter, string])[] {
    const { stdout, stderr } = this
    return [
      [stdout, 'readable'],
      [stdout, 'end'],
      [stdout, 'close'],
      [stderr, 'end'],
      [stderr, 'close'],
      [this.#process, 'exit'],
    ]
  }

  /** Signals the whole group; harmless once it is gone. */
  signal(name: 'SIGTERM' | 'SIGKILL'): boolean {
    return signalGroup(this.pid, name)
  }

  /** Asks the group to end, and leaves it a second to do so before `destroy`. */
  async askToEnd(): Promise<void> {
    this.signal('SIGTERM')
    await this.#exitWithin(GRACE_MS)
  }

  /**
   * Kills what is left of the group and lets go of it. False when the kernel does not let the child die (state D)
   * within a second: then it is abandoned.
   */
  async destroy(): Promise<boolean> {
    const alive = this.signal('SIGKILL')
    const died = await this.#exitWithin(GRACE_MS)
    if (alive && died) await this.#orphansGone()
    this.stdout.destroy()
    this.stderr.destroy()
    if (!died) this.#process.unref()
    forget(this.pid)
    return died
  }

  async #exitWithin(ms: number): Promise<boolean> {
    if (this.exit === undefined) {
      const timer = new AbortController()
      await Promise.race([this.exited, delay(ms, undefined, { signal: timer.signal }).catch(() => {})])
      timer.abort()
    }
    return this.exit !== undefined
  }

  async #orphansGone(): Promise<void> {
    for (let waitedMs = 0; waitedMs < ORPHANS_MS && signalGroup(this.pid, 0); waitedMs += 5) await delay(5)
  }
}

function isOver(stream: Readable): boolean {
  return stream.readableEnded || stream.destroyed
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}

/** Groups that must not outlive this process, should it exit while they run. */
const groups = new Set<number>()

function remember(pid: number): void {
  if (groups.size === 0) process.on('exit', killGroups)
  groups.add(pid)
}

function forget(pid: number): void {
  groups.delete(pid)
  if (groups.size === 0) process.off('exit', killGroups)
}

function killGroups(): void {
  for (const pid of groups) signalGroup(pid, 'SIGKILL')
}

const prefixes = new Map<string, Promise<readonly string[]>>()

/**
 * `nice` and `ionice` in front of a command cost 1.3 ms together (two more execs; 0.13 s for a hundred commands).
 * Asked once per PATH, because ionice fails altogether where the kernel (gVisor) or the filter does not know ioprio_set.
 */
function priorityPrefix(path: string): Promise<readonly string[]> {
  let prefix = prefixes.get(path)
  if (prefix === undefined) prefixes.set(path, (prefix = findPrefix(path)))
  return prefix
}

async function findPrefix(path: string): Promise<readonly string[]> {
  const nice = findCommand('nice', path)
  const ionice = findCommand('ionice', path)
  if (nice === undefined) return []
  const niceOnly = [nice, '-n', '19']
  if (ionice === undefined) return niceOnly
  const both = [...niceOnly, ionice, '-c', '3']
  return (await succeeds([...both, nice], path)) ? both : niceOnly
}

/** `nice` alone prints the niceness: an argument to `ionice` that is there for certain and ends at once. */
async function succeeds(argv: readonly string[], path: string): Promise<boolean> {
  const { execa } = await import('execa')
  const [file, ...args] = argv as [string, ...string[]]
  const options = { env: childEnvironment(path), extendEnv: false, reject: false, timeout: 5000 } as const
  const result = await execa(file, args, { ...options, stdin: 'ignore', killSignal: 'SIGKILL' })
  return !result.failed && result.stderr === ''
}
