/**
 * A `Kit` over a recorded tree, for testing collectors: it looks at the tree, runs commands from a folder of the
 * test's own, and records what the collector describes instead of collecting it.
 *
 *     const bin = await fakeCommands({ dmesg: 'echo "[1.0] Out of memory: …"' })
 *     const kit = testKit({ root: fixture('vm'), bin })
 *     const entries = await described(collector, kit)
 *     expect(await entries.value('problems.txt')).toContain('…')
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { missing } from '../../src/collect/needs.ts'
import type {
  AbsentEngine,
  Artifact,
  Collector,
  Engine,
  HostFacts,
  Interval,
  JournalQuery,
  KeptContainer,
  KeptLogs,
  Kit,
  Measured,
  MeasuredQuery,
  Needs,
  RecordedEvent,
  RecordedEvents,
  RecordedFilter,
  RecordedMetrics,
  RecordedUpload,
  SelfFacts,
  Tier,
} from '../../src/collector.ts'
import { runCommand } from '../../src/sources/command.ts'
import { look } from '../../src/sources/look.ts'
import { words } from '../../src/sources/words.ts'

/** One artifact as the collector described it. */
export interface Described {
  readonly kind:
    | 'command'
    | 'file'
    | 'files'
    | 'logs'
    | 'journal'
    | 'json'
    | 'text'
    | 'withheld'
    | 'skipped'
    | 'engine'
    | 'stored'
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
  /** Engine entries: the path of the GET, or `logs CONTAINER`; of what is kept `kept CONTAINER`, with the label of the engine that is asked, too. */
  readonly request?: string
  /** json and text: makes the value. */
  readonly make?: () => unknown
}

export interface KitOptions {
  /** Prefix of every path that is looked at. */
  root: string
  /** Folder of executables that `run` and `needs: { command }` find; without it there are none. */
  bin?: string
  /** Units that count as active, besides those with a link in the tree's /run/systemd/units. */
  activeUnits?: readonly string[]
  host?: Partial<HostFacts>
  self?: Partial<SelfFacts>
  intervals?: readonly Interval[]
  engines?: { present: readonly Engine[]; absent: readonly AbsentEngine[] }
  systeminformation?: Record<string, unknown>
  /** What was recorded, newest first; a function, to see what is asked. Without it nothing is recorded. */
  events?: readonly RecordedEvent[] | ((filter: RecordedFilter) => readonly RecordedEvent[])
  /** What was measured; a function, to see what is asked. Without it nothing is. */
  metrics?: Measured | ((query: MeasuredQuery) => Measured)
  /** The span that a bundle is asked for. */
  window?: RecordedMetrics['window']
  /** What is kept of containers. */
  kept?: readonly (KeptContainer & { readonly inspected?: unknown })[]
  /** What was to be sent, newest first. Without it nothing is. */
  uploads?: readonly RecordedUpload[]
  /** Names of databases that were set aside. */
  setAside?: readonly string[]
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

/** A folder of shell scripts named like the commands they stand for, gone when the test ends. They may use real ones. */
export async function fakeCommands(scripts: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-bin-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`)
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
  command: (strings, ...values) => record({ kind: 'command', argv: words(strings, values) }),
  file: (path, options) => record({ kind: 'file', paths: [path], ...(options?.within && { within: options.within }) }),
  files: (...globs) => record({ kind: 'files', paths: globs }),
  logs: (...globs) => record({ kind: 'logs', paths: globs }),
  journal: (query = {}) => record({ kind: 'journal', query }),
  json: (name, make) => record({ kind: 'json', name, make }),
  text: (name, make) => record({ kind: 'text', name, make }),
  withheld: (name, reason) => record({ kind: 'withheld', name, reason }),
  skipped: (name, reason) => record({ kind: 'skipped', name, reason }),
} satisfies Partial<Kit>

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

// ── looking: the real thing, on the tree ────────────────────────────────────────────────────────────

function looking(options: KitOptions) {
  const { root, bin = '/nonexistent', activeUnits = [] } = options
  const intervals = async () => options.intervals ?? [{ sinceMs: 0, untilMs: Date.UTC(2100, 0), reason: 'window' }]
  const { signal } = new AbortController()
  const source = { signal, root, path: bin, timeZone: 'Etc/UTC', intervals, dbus: { dead: false } }
  const limits = { entryBytes: Infinity, headBytes: 0, commandMs: 60_000, stallMs: 15_000 }
  return {
    ...look(source),
    run: (strings, ...values) => runCommand({ argv: words(strings, values) }, { ...source, limits }),
    missing: async (needs) => {
      const { unit, ...rest } = needs
      return missing(unit !== undefined && activeUnits.includes(unit) ? rest : needs, source)
    },
    engines: async () => options.engines ?? { present: [], absent: [] },
    intervals,
    events: recordedEvents(options),
    metrics: recordedMetrics(options),
    containers: keptLogs(options),
    uploads: { newest: async () => options.uploads ?? Promise.reject(new Error('nothing is sent')) },
    systeminformation: async (call) => options.systeminformation?.[call] ?? {},
  } satisfies Partial<Kit>
}

function recordedEvents({ events, setAside = [] }: KitOptions): RecordedEvents {
  return {
    newest: async (filter) => {
      if (events === undefined) throw new Error('nothing is recorded')
      return typeof events === 'function' ? events(filter) : events.slice(0, filter.limit)
    },
    database: () => record({ kind: 'stored', name: 'events.db' }),
    setAside: async () => setAside.map((name) => record({ kind: 'stored', name })),
  }
}

function keptLogs({ kept = [] }: KitOptions): KeptLogs {
  return {
    kept: async () => kept,
    inspect: async ({ id }) => kept.find((one) => one.id === id)?.inspected ?? Promise.reject(new Error('no document')),
    log: ({ id }, engine) =>
      record({ kind: 'stored', request: ['kept', id, ...(engine ? [engine.socket] : [])].join(' ') }),
  }
}

const WHOLE = { sinceMs: 0, untilMs: Date.UTC(2100, 0) }

function recordedMetrics({ metrics, setAside = [], window = WHOLE }: KitOptions): RecordedMetrics {
  return {
    window,
    range: async (query) => {
      if (metrics === undefined) throw new Error('nothing is measured')
      return typeof metrics === 'function' ? metrics(query) : metrics
    },
    database: () => record({ kind: 'stored', name: 'metrics.db' }),
    setAside: async () => setAside.map((name) => record({ kind: 'stored', name })),
  }
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
