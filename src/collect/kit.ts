/** The kit of a collector: descriptions on one side, bounded looks on the other. */
import type { Artifact, Kit } from '../collector.ts'
import { runCommand } from '../sources/command.ts'
import { findEngines } from '../sources/engines.ts'
import { look } from '../sources/look.ts'
import { getJson } from '../sources/unix-http.ts'
import { words } from '../sources/words.ts'
import { Description } from './artifact.ts'
import { missing } from './needs.ts'
import { containersOf } from './recorded-containers.ts'
import { eventsOf, NOTHING_RECORDED } from './recorded.ts'
import { metricsOf, NOTHING_MEASURED } from './recorded-metrics.ts'
import { NOTHING_SENT, uploadsOf } from './recorded-uploads.ts'
import type { BundleRun } from './run.ts'
import { systeminformation } from './systeminformation.ts'

export function createKit(run: Pick<BundleRun, 'request' | 'deps' | 'source'>): Kit {
  const { source, deps } = run
  const limits = { entryBytes: Infinity, headBytes: 0, ...pick(run.request.limits) }
  const ctx = { ...source, limits }
  return {
    ...describing(),
    ...look(source),
    run: (strings, ...values) => runCommand({ argv: words(strings, values) }, ctx),
    missing: async (needs) => missing(needs, source),
    engines: async () => {
      const found = await findEngines(source, { configured: deps.engines })
      const present = found.present.map((engine) => ({
        ...engine,
        get: (path: string) => getJson({ socket: engine.socket, path }, ctx),
        entry: (path: string): Artifact => new Description({ kind: 'engine', socket: engine.socket, path }),
        logs: (containerId: string, tty: boolean): Artifact =>
          new Description({ kind: 'engine-log', socket: engine.socket, containerId, tty }),
      }))
      return { present, absent: found.absent }
    },
    intervals: source.intervals,
    systeminformation,
    events: eventsOf(deps.recorded ?? NOTHING_RECORDED, ctx),
    metrics: metricsOf(deps.measured ?? NOTHING_MEASURED, run.request, ctx),
    containers: containersOf(deps.kept, run.request, ctx),
    uploads: uploadsOf(deps.uploads ?? NOTHING_SENT, ctx),
    host: deps.host,
    self: deps.self(),
    signal: source.signal,
  }
}

/**
 * The same, but what it shows is masked: a collector that shortens, sorts or escapes what it read makes no text of it that
 * the mask would not know any more.
 */
export function maskedKit(kit: Kit, mask: (text: string) => Promise<string>): Kit {
  return {
    ...kit,
    async read(path, maxBytes) {
      const text = await kit.read(path, maxBytes)
      return text === undefined ? undefined : mask(text)
    },
    async run(strings, ...values) {
      const { stdout, stderr, exitCode } = await kit.run(strings, ...values)
      return { stdout: await mask(stdout), stderr: await mask(stderr), exitCode }
    },
  }
}

type Describing = Pick<
  Kit,
  'command' | 'file' | 'files' | 'logs' | 'journal' | 'json' | 'text' | 'withheld' | 'skipped'
>

function describing(): Describing {
  return {
    command: (strings, ...values) => new Description({ kind: 'command', argv: words(strings, values) }),
    file: (path, options = {}) => new Description({ kind: 'file', path, within: options.within ?? [] }),
    files: (...globs) => new Description({ kind: 'files', globs, windowed: false }),
    logs: (...globs) => new Description({ kind: 'files', globs, windowed: true }),
    journal: (query = {}) => new Description({ kind: 'journal', query }),
    json: (path, make) => new Description({ kind: 'json', make }, path),
    text: (path, make) => new Description({ kind: 'text', make }, path),
    withheld: (path, reason) => new Description({ kind: 'absent', outcome: 'withheld', reason }, path),
    skipped: (path, reason) => new Description({ kind: 'absent', outcome: 'skipped', reason }, path),
  }
}

function pick({ commandMs, stallMs }: { commandMs: number; stallMs: number }): { commandMs: number; stallMs: number } {
  return { commandMs, stallMs }
}
