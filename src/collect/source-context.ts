/** What the sources of one bundle may know of their surroundings. */
import type { SourceContext } from '../sources/source.ts'
import type { BundleDeps } from './deps.ts'
import type { BundleRequest } from './types.ts'
import { windowIntervals } from './window.ts'

export function sourceContext(request: BundleRequest, deps: BundleDeps, signal: AbortSignal): SourceContext {
  const base = { signal, root: deps.root, path: deps.path, timeZone: deps.host.timeZone, dbus: { dead: false } }
  const { commandMs, stallMs } = request.limits
  const limits = { entryBytes: Infinity, headBytes: 0, commandMs, stallMs }
  return { ...base, intervals: windowIntervals(request, () => ({ ...base, limits })) }
}
