/**
 * A `Kit` over a recorded tree, for testing collectors: it looks at the tree, runs commands from a folder of the
 * test's own, and records what the collector describes instead of collecting it.
 *
 *     const bin = await fakeCommands({ dmesg: 'echo "[1.0] Out of memory: …"' })
 *     const kit = testKit({ root: fixture('vm'), bin })
 *     const entries = await described(collector, kit)
 *     expect(await entries.value('problems.txt')).toContain('…')
 */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import {
  access,
  chmod,
  glob,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  statfs,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type {
  AbsentEngine,
  Artifact,
  Collector,
  Engine,
  FileFacts,
  HostFacts,
  Interval,
  JournalQuery,
  Kit,
  Needs,
  RunResult,
  SelfFacts,
  Tier,
} from '../../src/collector.ts'

/** One artifact as the collector described it. */
export interface Described {
  readonly kind: 'command' | 'file' | 'files' | 'logs' | 'journal' | 'json' | 'text' | 'withheld' | 'skipped' | 'engine'
  /** Name under the collector's folder; undefined when the collector leaves it to the engine. */
  name: string | undefined
  /** Only when the artifact differs from its collector. */
  tier?: Tier
  needs: Needs[]
  accepted: number[]
  timeoutMs?: number
  /** Commands: one string per argument. */
  readonly argv?: readonly string[]
  /** Files and logs: paths or globs. */
  readonly paths?: readonly string[]
  readonly within?: readonly string[]
  readonly query?: JournalQuery
  /** Withheld and skipped: why. */
  readonly reason?: string
  /** Engine entries: the path of the GET, or `logs CONTAINER`. */
  readonly request?: string
  /** json and text: makes the value. */
  readonly make?: () => unknown
}

export interface KitOptions {
  /** Prefix of every path that is looked at. */
  root: string
  /** Folder of executables that `run` and `needs: { command }` find; without it there are none. */
  bin?: string
  /** Units that count as active. */
  activeUnits?: readonly string[]
  host?: Partial<HostFacts>
  self?: Partial<SelfFacts>
  intervals?: readonly Interval[]
  engines?: { present: readonly Engine[]; absent: readonly AbsentEngine[] }
  systeminformation?: Record<string, unknown>
}

/** A recorded tree under test/fixtures. */
export const fixture = (...path: string[]) => join(import.meta.dirname, '..', 'fixtures', ...path)

export function testKit(options: KitOptions): Kit {
  return { ...describing, ...looking(options), ...facts(options) }
}

/** Everything the collector describes, in its order; and lookups over it. */
export async function described(collector: Collector, kit: Kit) {
  const all: Described[] = []
  for await (const artifact of collector.collect(kit)) all.push(recorded.get(artifact)!)
  const named = (name: string): Described => {
    const found = all.filter((entry) => entry.name === name)
    if (found.length === 1) return found[0]!
    throw new Error(
      `${found.length} entries are named ${name}; there are: ${all.map((e) => e.name ?? e.paths).join(', ')}`,
    )
  }
  return {
    all,
    names: all.map((entry) => entry.name),
    named,
    has: (name: string) => all.some((entry) => entry.name === name),
    /** Makes the value of a json or text entry; a stream of text is joined. */
    value: (name: string): Promise<unknown> => made(named(name)),
    /** Commands as lines, for `toContain`. */
    commands: all.flatMap((entry) => (entry.argv ? [entry.argv.join(' ')] : [])),
    /** Every path and glob of files and logs. */
    paths: all.flatMap((entry) => entry.paths ?? []),
  }
}

/** A tree of files made for one test, path → content, with a mode where it matters; removed when the test ends. */
export async function tree(files: Record<string, string | { content: string; mode: number }>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'diagd-tree-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  for (const [path, file] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    const { content, mode } = typeof file === 'string' ? { content: file, mode: 0o644 } : file
    await writeFile(join(root, path), content)
    await chmod(join(root, path), mode)
  }
  return root
}

/** A folder of shell scripts named like the commands they stand for; removed when the test ends. */
export async function fakeCommands(scripts: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-bin-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`)
    await chmod(join(folder, name), 0o755)
  }
  return folder
}

/** An engine that answers from a table of request paths; what is not in it is refused with 404. */
export function recordedEngine(answers: Record<string, unknown>, options: Partial<Omit<Engine, 'get'>> = {}): Engine {
  return {
    kind: 'docker',
    label: 'rootful',
    socket: '/run/docker.sock',
    get: async (path) => {
      if (path in answers) return answers[path]
      throw new Error(`404: no such path ${path}`)
    },
    entry: (path) => record({ kind: 'engine', request: path }),
    logs: (id) => record({ kind: 'engine', request: `logs ${id}` }),
    ...options,
  }
}

// ── describing ──────────────────────────────────────────────────────────────────────────────────────

const recorded = new WeakMap<Artifact, Described>()

type Description = Omit<Described, 'name' | 'needs' | 'accepted'> & { name?: string }

function record(description: Description): Artifact {
  const entry: Described = { name: undefined, needs: [], accepted: [], ...description }
  const artifact: Artifact = {
    as: (path) => ((entry.name = path), artifact),
    in: (tier) => ((entry.tier = tier), artifact),
    needs: (needs) => (entry.needs.push(needs), artifact),
    accept: (...codes) => (entry.accepted.push(...codes), artifact),
    timeoutMs: (limit) => ((entry.timeoutMs = limit), artifact),
  }
  recorded.set(artifact, entry)
  return artifact
}

const describing = {
  command: (words, ...values) => record({ kind: 'command', argv: argvOf(words, values) }),
  file: (path, options) => record({ kind: 'file', paths: [path], ...(options?.within && { within: options.within }) }),
  files: (...globs) => record({ kind: 'files', paths: globs }),
  logs: (...globs) => record({ kind: 'logs', paths: globs }),
  journal: (query = {}) => record({ kind: 'journal', query }),
  json: (name, make) => record({ kind: 'json', name, make }),
  text: (name, make) => record({ kind: 'text', name, make }),
  withheld: (name, reason) => record({ kind: 'withheld', name, reason }),
  skipped: (name, reason) => record({ kind: 'skipped', name, reason }),
} satisfies Partial<Kit>

type Value = string | number | readonly string[]

function argvOf(words: TemplateStringsArray, values: readonly Value[]): string[] {
  // A value glued to a word (`--since=${x}`) is part of that argument; a list is several arguments.
  const argv: string[] = []
  let open = false
  const append = (text: string) => {
    if (open) argv[argv.length - 1] += text
    else argv.push(text)
    open = true
  }
  words.forEach((word, i) => {
    for (const piece of word.split(/(\s+)/)) {
      if (/^\s+$/.test(piece)) open = false
      else if (piece !== '') append(piece)
    }
    const value = values[i]
    if (Array.isArray(value)) {
      argv.push(...value)
      open = false
    } else if (value !== undefined) append(String(value))
  })
  return argv
}

async function made(entry: Described): Promise<unknown> {
  if (!entry.make) throw new Error(`${entry.name} is a ${entry.kind}, not a made value`)
  const value = await entry.make()
  if (!isStream(value)) return value
  let text = ''
  for await (const piece of value) text += String(piece)
  return text
}

const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

// ── looking ─────────────────────────────────────────────────────────────────────────────────────────

function looking(options: KitOptions) {
  const at = (path: string) => join(options.root, path)
  return {
    read: async (path, maxBytes = 1 << 20) => {
      const bytes = await orUndefined(readFile(at(path)))
      return bytes?.subarray(0, maxBytes).toString()
    },
    glob: async (...globs) => {
      const found: string[] = []
      for await (const path of glob(globs.map((pattern) => at(pattern)))) found.push(path.slice(options.root.length))
      return found.toSorted()
    },
    list: async (path) => ((await orUndefined(readdir(at(path)))) ?? []).toSorted(),
    readlink: (path) => orUndefined(readlink(at(path))),
    stat: async (path) => {
      const stat = await orUndefined(lstat(at(path)))
      return (
        stat && {
          kind: kindOf(stat),
          sizeBytes: stat.size,
          mtimeMs: stat.mtimeMs,
          uid: stat.uid,
          mode: stat.mode & 0o7777,
        }
      )
    },
    statfs: async (path) => {
      const facts = await statfs(at(path))
      return {
        blockSizeBytes: facts.bsize,
        blocks: facts.blocks,
        blocksFree: facts.bfree,
        blocksAvailable: facts.bavail,
        inodes: facts.files,
        inodesFree: facts.ffree,
      }
    },
    run: (words, ...values) => run(argvOf(words, values), options.bin),
    missing: (needs) => missing(needs, options),
    engines: async () => options.engines ?? { present: [], absent: [] },
    intervals: async () => options.intervals ?? [{ sinceMs: 0, untilMs: Date.UTC(2100, 0), reason: 'window' }],
    systeminformation: async (call) => options.systeminformation?.[call] ?? {},
  } satisfies Partial<Kit>
}

const orUndefined = <T>(promise: Promise<T>): Promise<T | undefined> => promise.catch(() => undefined)

function kindOf(stat: Awaited<ReturnType<typeof lstat>>): FileFacts['kind'] {
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'link'
  if (stat.isSocket()) return 'socket'
  if (stat.isFIFO()) return 'fifo'
  return stat.isFile() ? 'file' : 'device'
}

async function run(argv: readonly string[], bin: string | undefined): Promise<RunResult> {
  const [name, ...args] = argv
  if (!bin || !(await executable(join(bin, name!)))) throw new Error(`${name} is not on PATH`)
  return new Promise((resolve) => {
    execFile(join(bin, name!), args, { maxBuffer: 4 << 20 }, (error, stdout, stderr) => {
      resolve({ stdout, stderr, exitCode: error ? (typeof error.code === 'number' ? error.code : null) : 0 })
    })
  })
}

const executable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

async function missing(needs: Needs, { root, bin, activeUnits = [] }: KitOptions): Promise<string | undefined> {
  for (const command of [needs.command ?? []].flat()) {
    if (!bin || !(await executable(join(bin, command)))) return `the command ${command} is not installed`
  }
  for (const file of [needs.file ?? []].flat()) {
    if (!(await orUndefined(lstat(join(root, file))))) return `${file} does not exist`
  }
  if (needs.unit && !activeUnits.includes(needs.unit)) return `the unit ${needs.unit} is not active`
  const modules = [needs.module ?? []].flat()
  const loaded = (await orUndefined(readFile(join(root, '/proc/modules'), 'utf8'))) ?? ''
  if (
    modules.length > 0 &&
    !modules.some((module) => loaded.split('\n').some((line) => line.startsWith(`${module} `)))
  ) {
    return `none of the kernel modules ${modules.join(', ')} is loaded`
  }
  return undefined
}

// ── facts ───────────────────────────────────────────────────────────────────────────────────────────

function facts(options: KitOptions): Pick<Kit, 'host' | 'self' | 'signal'> {
  return {
    host: {
      node: 'node-1',
      hostname: 'node-1',
      bootId: '3f0c9a52-7d1e-4b8a-9c55-0123456789ab',
      uid: 0,
      timeZone: 'Etc/UTC',
      systemd: true,
      ...options.host,
    },
    self: {
      version: '0.1.0',
      nodeVersion: 'v24.0.0',
      startedAtMs: Date.UTC(2026, 0, 2),
      pid: 4711,
      config: {},
      health: { status: 'ok' },
      log: () => '',
      watchedUnits: [],
      ...options.self,
    },
    signal: new AbortController().signal,
  }
}
