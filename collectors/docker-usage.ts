import type { Collector } from '../src/collector.ts'
import { findAsked } from './lib/engine-socket.ts'

/** The engine walks over every layer and volume before it says anything. */
const patienceMs = 300_000

export default {
  title: 'Disk usage by images, containers, volumes and build cache (minutes of disk I/O on a full node)',
  tier: 'bulk',
  onDemand: true,
  async *collect(kit) {
    const { engines, skipped } = await findAsked(kit)
    yield* skipped
    for (const { engine, folder } of engines) {
      yield engine.entry('/system/df').as(`${folder}system-df.json`).timeoutMs(patienceMs)
    }
  },
} satisfies Collector
