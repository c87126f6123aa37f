import type { Collector, Interval } from '../src/collector.ts'
import { findAsked } from './lib/engine-socket.ts'

/** Cheap questions only; what costs the engine a walk over its disk is in docker-usage. */
const questions = {
  'version.json': '/version',
  'info.json': '/info',
  'images.json': '/images/json',
  'networks.json': '/networks',
  'volumes.json': '/volumes',
}
const unitFolders = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']
const units = ['docker.service', 'containerd.service', 'podman.service']

export default {
  title: 'Container engines: version, info, images, networks, volumes, events, configuration, their own logs',
  tier: 'state',
  async *collect(kit) {
    const { engines, skipped } = await findAsked(kit)
    yield* skipped
    const events = eventsPath(await kit.intervals(), Date.now())
    for (const { engine, folder } of engines) {
      for (const [name, path] of Object.entries(questions)) yield kit.json(folder + name, () => engine.get(path))
      yield engine.entry(events).as(`${folder}events.jsonl`).in('logs')
    }
    yield kit.files('/etc/docker/daemon.json').as('config/')
    yield kit.files('/etc/containers/{containers,storage,registries}.conf').as('config/')
    yield kit.files('/etc/containers/{containers,storage,registries}.conf.d/*.conf').as('config/')
    for (const unit of units) {
      // Installed, not active: the log of a daemon that will not start is the one that is wanted.
      const installed = await Promise.all(unitFolders.map((folder) => kit.stat(`${folder}/${unit}`)))
      if (installed.some((found) => found !== undefined)) yield kit.journal({ unit }).as(`logs/${unit}.log`).in('logs')
    }
    // Where a daemon that systemd did not start writes: an init script, a hand-made start-up.
    yield kit.logs('/var/log/{dockerd,docker,containerd}.log*').as('logs/').in('logs')
    yield kit.logs('/tmp/dockerd.log*').as('logs/tmp/').in('logs')
  },
} satisfies Collector

/** The engine ends its answer at `until`, so that has to lie in the past. Docker remembers its last 256 events. */
function eventsPath(intervals: readonly Interval[], nowMs: number): string {
  const sinceMs = Math.min(...intervals.map((interval) => interval.sinceMs), nowMs)
  const untilMs = Math.min(Math.max(...intervals.map((interval) => interval.untilMs), sinceMs), nowMs)
  return `/events?since=${unixSeconds(sinceMs)}&until=${unixSeconds(untilMs)}`
}

const unixSeconds = (timeMs: number) => (Math.floor(timeMs) / 1000).toFixed(3)
