/** What containers are called, for the numbers of their control groups: those know ids only. Asks the engines that run. */
import { DEFAULT_LIMITS } from '../config/limits.ts'
import type { BundleDeps } from './deps.ts'
import { createKit } from './kit.ts'
import { parseBundleRequest } from './request.ts'
import { sourceContext } from './source-context.ts'

/** As many as there are digits in the labels of metrics. */
const ID_DIGITS = 12
/** More do not fit on a machine whose containers are measured (128). */
const MOST_NAMES = 1000
const DEADLINE_MS = 10_000

/** By the first digits of their ids. An engine that does not answer has no names; rejects when none can be looked for. */
export async function containerNames(deps: BundleDeps): Promise<Record<string, string>> {
  const request = parseBundleRequest({}, { nowMs: Date.now(), collectorIds: [], defaults: DEFAULT_LIMITS })
  const source = sourceContext(request, deps, AbortSignal.timeout(DEADLINE_MS))
  const { present } = await createKit({ request, deps, source }).engines()
  const answers = await Promise.all(present.map((engine) => engine.get('/containers/json').catch(() => [])))
  const named = answers.flat().flatMap((container) => nameOf(container))
  return Object.fromEntries(named.slice(0, MOST_NAMES))
}

/** `{"Id": "0123…", "Names": ["/web"]}`; a container that others link to has their names for it, too, with two slashes. */
function nameOf(container: unknown): [string, string][] {
  const { Id: id, Names: names } = (container ?? {}) as { Id?: unknown; Names?: unknown }
  const own = Array.isArray(names) ? names.map(String).find((name) => name.lastIndexOf('/') <= 0) : undefined
  if (typeof id !== 'string' || own === undefined) return []
  return [[id.slice(0, ID_DIGITS), own.replace(/^\//, '')]]
}
