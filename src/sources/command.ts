/** A command as a source: what it prints, and how it ended. */
import { basename } from 'node:path'
import type { RunResult } from '../collector.ts'
import { talksToDbus } from './environment.ts'
import { findCommand, findUnexecutable } from './lookup.ts'
import type { Patience, Run } from './running.ts'
import { HOPELESS_MS, run } from './running.ts'
import type { Opened, SourceContext, SourceEnd, SourceLimits } from './source.ts'
import { SourceError } from './source.ts'

export interface CommandSpec {
  /** The command's name or absolute path, and its arguments. */
  readonly argv: readonly string[]
  /** Exit codes that count as success besides 0. */
  readonly okCodes?: readonly number[]
  /** Milliseconds of waiting for its output; the limit for commands when absent. */
  readonly timeoutMs?: number
}

export type CommandContext = SourceContext & { readonly limits: SourceLimits }

/** Most of what a collector reads of a command itself, to decide what to describe. */
const RUN_BYTES = 4 * 1024 * 1024
/** Most of a line of stderr in a sentence; the rest stands with stderr itself. */
const SAID_CHARS = 300

/** Describes the output of a command; it starts with the first pull. Throws SourceError when it cannot start. */
export async function openCommand(spec: CommandSpec, ctx: CommandContext): Promise<Opened> {
  const job = prepare(spec, ctx, ctx.limits.entryBytes)
  return { origin: commandLine(spec.argv), chunks: output(job, ctx) }
}

/**
 * Runs a command for what it prints, at most 4 MiB. Any exit code is an answer; throws SourceError when the command
 * cannot run (`skipped`, `failed`), prints more (`failed`), or does not end in time (`timeout`).
 */
export async function runCommand(spec: CommandSpec, ctx: CommandContext): Promise<RunResult> {
  const job = prepare(spec, ctx, RUN_BYTES)
  const running = start(job, ctx)
  const chunks: Buffer[] = []
  let step = await running.next()
  for (; !step.done; step = await running.next()) chunks.push(Buffer.from(step.value))
  const ended = step.value
  if (isTimeout(ended) || ended.ending === 'cut' || cannotExecute(ended)) {
    const { outcome, detail, stderr } = describeEnd(ended, job)
    throw new SourceError(outcome === 'partial' ? 'failed' : outcome, `${spec.argv[0]}: ${detail}`, { stderr })
  }
  return { stdout: Buffer.concat(chunks).toString(), stderr: ended.stderr, exitCode: ended.exit?.code ?? null }
}

/** A command found and bounded, ready to start. */
interface Job {
  readonly file: string
  readonly spec: CommandSpec
  readonly patience: Patience
  readonly maxBytes: number
  /** Who asks: without root, "permission denied" is a reason to skip and no failure. */
  readonly uid: number
}

function prepare(spec: CommandSpec, ctx: CommandContext, maxBytes: number): Job {
  const file = locate(spec.argv[0] ?? '', ctx.path)
  return { file, spec, patience: patience(spec, ctx), maxBytes, uid: process.geteuid?.() ?? 0 }
}

async function* output(job: Job, ctx: CommandContext): AsyncGenerator<Buffer, SourceEnd, void> {
  return describeEnd(yield* start(job, ctx), job)
}

async function* start(job: Job, ctx: CommandContext): AsyncGenerator<Buffer, Run, void> {
  const { patience, maxBytes } = job
  const args = job.spec.argv.slice(1)
  const ended = yield* run(job.file, args, { path: ctx.path, signal: ctx.signal, patience, maxBytes })
  if (isTimeout(ended) && talksToDbus(basename(job.file))) ctx.dbus.dead = true
  return ended
}

function isTimeout({ ending }: Run): boolean {
  return ending === 'late' || ending === 'stalled' || ending === 'hopeless'
}

function patience(spec: CommandSpec, ctx: CommandContext): Patience {
  const totalMs = spec.timeoutMs ?? ctx.limits.commandMs
  const { stallMs } = ctx.limits
  // Once one has timed out, the others need not wait as long: a live bus answers in far less.
  return talksToDbus(basename(spec.argv[0] ?? ''))
    ? { totalMs, stallMs, hopeless: () => ctx.dbus.dead }
    : { totalMs, stallMs }
}

function locate(name: string, path: string): string {
  const file = findCommand(name, path)
  if (file !== undefined) return file
  const found = findUnexecutable(name, path)
  if (found !== undefined) throw new SourceError('failed', `cannot be executed: ${found}: no execute permission`)
  throw new SourceError('skipped', `command not found: ${name}`)
}

/** For people and the manifest; quoted so that a shell would read the same arguments. */
function commandLine(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}

/** Turns how a command ended into an outcome with its sentence. */
export function describeEnd(ended: Run, job: Omit<Job, 'file'>): SourceEnd {
  const { detail, ...end } = judge(ended, job)
  const abandoned = ended.exit === undefined ? '; the kernel did not let it die, so it was left behind' : ''
  return {
    ...end,
    ...(detail === undefined ? {} : { detail: detail + abandoned }),
    ...(ended.stderr === '' ? {} : { stderr: ended.stderr }),
  }
}

function judge(ended: Run, { patience, maxBytes, ...job }: Omit<Job, 'file'>): SourceEnd {
  if (ended.ending === 'stalled') return { outcome: 'timeout', detail: `said nothing for ${seconds(patience.stallMs)}` }
  if (ended.ending === 'late') return { outcome: 'timeout', detail: `took longer than ${seconds(patience.totalMs)}` }
  if (ended.ending === 'hopeless') {
    const detail = `said nothing for ${seconds(HOPELESS_MS)} or more, while D-Bus does not answer others either`
    return { outcome: 'timeout', detail }
  }
  if (ended.ending === 'cut') return { outcome: 'partial', detail: `output cut at ${maxBytes} bytes`, endsEarly: true }
  const refused = cannotExecute(ended)
  if (refused !== undefined) return { outcome: 'failed', detail: `cannot be executed: ${refused}` }
  const { code, signal } = ended.exit ?? { code: null, signal: null }
  if (signal !== null) return broken(ended, `ended by ${signal}`)
  if (code !== 0 && code !== null && !job.spec.okCodes?.includes(code)) {
    const lacking = ended.bytes === 0 && job.uid !== 0 ? permissionLine(ended.stderr) : undefined
    if (lacking !== undefined) return { outcome: 'skipped', detail: `needs root: ${lacking}` }
    return broken(ended, `exited with code ${code}`)
  }
  if (ended.ending === 'lingering')
    return { outcome: 'partial', detail: 'a background process kept its output open; ended' }
  return { outcome: 'ok' }
}

function broken(ended: Run, how: string): SourceEnd {
  const said = ended.stderr.split('\n').find((line) => line.trim() !== '')
  return {
    outcome: ended.bytes === 0 ? 'failed' : 'partial',
    detail: said === undefined ? how : `${how}: ${said.trim().slice(0, SAID_CHARS)}`,
  }
}

/** How tools say that the caller lacks rights, under LC_ALL=C.UTF-8. */
const PERMISSION =
  /permission denied|operation not permitted|must be (run as )?root|(only|are you|requires?|need[s]? to be) root|superuser|insufficient permissions|access denied|interactive authentication required/i

function permissionLine(stderr: string): string | undefined {
  return stderr
    .split('\n')
    .find((line) => PERMISSION.test(line))
    ?.slice(0, SAID_CHARS)
}

/** `nice` and `ionice` start the command in our place; these are their words when they could not. */
function cannotExecute(ended: Run): string | undefined {
  if (ended.bytes > 0 || (ended.exit?.code !== 126 && ended.exit?.code !== 127)) return undefined
  return /^(?:ionice: failed to execute |nice: )(.+)/m.exec(ended.stderr)?.[1]
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}
