import type { Collector } from '../src/collector.ts'
import { overviewOf } from './lib/metrics-overview/overview.ts'
import { overviewSvg } from './lib/metrics-overview/svg.ts'
import { overviewText, RECENT_MS } from './lib/metrics-overview/text.ts'
import { once } from './lib/proc-text.ts'

export default {
  title: 'What this machine was busy with, across boots, as diagd measured it: a table, a picture, and the database',
  tier: 'facts',
  async *collect(kit) {
    const overview = once(() => overviewOf(kit))
    yield kit.text('overview.txt', async () => overviewText(await overview(), await overviewOf(kit, RECENT_MS)))
    yield kit.text('overview.svg', async () => overviewSvg(await overview()))
    yield kit.metrics.database().in('logs')
    for (const database of await kit.metrics.setAside()) yield database.in('bulk')
  },
} satisfies Collector
