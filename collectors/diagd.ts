import type { Collector } from '../src/collector.ts'

export default {
  title: "diagd's own version, configuration, health, uploads, log and process",
  tier: 'facts',
  async *collect(kit) {
    const { version, nodeVersion, startedAtMs, pid, config, health, log } = kit.self
    yield kit.json('diagd.json', async () => ({
      version,
      nodeVersion,
      startedAt: new Date(startedAtMs).toISOString(),
      pid,
      effectiveUid: kit.host.uid,
      openDescriptors: (await kit.list(`/proc/${pid}/fd`)).length,
    }))
    yield kit.json('health.json', () => health)
    yield kit.json('config.json', () => config)
    yield kit.json('uploads.json', async () => ({ uploads: await kit.uploads.newest() }))
    for (const name of ['status', 'limits', 'io', 'cgroup', 'smaps_rollup']) {
      yield kit.file(`/proc/${pid}/${name}`).as(`process/${name}`).in('state')
    }
    yield kit.text('diagd.log', log).in('logs')
    yield kit.journal({ unit: 'diagd.service' }).as('journal.log').in('logs').needs({ command: 'journalctl' })
  },
} satisfies Collector
