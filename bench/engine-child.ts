/** Arguments: the format, and recipients that the bundle is encrypted to. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { collectBundle } from '../src/collect/bundle.ts'
import { createDeps } from '../src/collect/deps.ts'
import { parseBundleRequest } from '../src/collect/request.ts'
import { loadConfig } from '../src/config/load.ts'

const { config } = await loadConfig(process.env, process.geteuid!())
const deps = await createDeps(config, { startedAtMs: Date.now(), log: () => '', health: () => ({}) })
const [format, ...recipient] = process.argv.slice(2)
const request = parseBundleRequest(
  { only: 'extras', limits: 'none', since: '2d', format, recipient },
  { nowMs: Date.now(), collectorIds: deps.collectors.map(({ id }) => id), defaults: config.limits },
)
const options = { signal: new AbortController().signal }
const sink = { write: async () => {} }
// The first bundle of a process loads code; a daemon has that behind it.
await collectBundle({ ...request, only: [] }, deps, sink, options)
const RESOLUTION_MS = 1
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
const result = await collectBundle(request, deps, sink, options)
delay.disable()
const seconds = result.durationMs / 1000
console.log(
  JSON.stringify({
    seconds,
    megabytesPerSecond: result.bytesIn / 1e6 / seconds,
    delayP99Ms: delay.percentile(99) / 1e6 - RESOLUTION_MS,
    delayMaxMs: delay.max / 1e6 - RESOLUTION_MS,
  }),
)
