import type { Collector, Interval } from '../src/collector.ts'
import { whereEnginesRun } from './lib/docker-where.ts'
import { findAsked } from './lib/engine-socket.ts'

const configFiles = [
  '/etc/docker/daemon.json',
  '/etc/containers/{containers,storage,registries}.conf',
  '/etc/containers/{containers,storage,registries}.conf.d/*.conf',
]
/** Where a daemon that systemd did not start writes: an init script, a start-up by hand. */
const logFiles = ['/var/log/{dockerd,docker,containerd}.log*', '/tmp/dockerd.log*']

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
  title:
    'Container engines: what they run on, version, info, images and their history, pulls and pushes, networks, volumes, events, configuration, their own logs',
  tier: 'state',
  async *collect(kit) {
    const { engines, skipped } = await findAsked(kit)
    yield* skipped
    yield* whereEnginesRun(kit, engines)
    const events = eventsPath(await kit.intervals(), Date.now())
    for (const { engine, folder } of engines) {
      for (const [name, path] of Object.entries(questions)) yield kit.json(folder + name, () => engine.get(path))
      yield engine.entry(events).as(`${folder}events.jsonl`).in('logs')
    }
    const files = await kit.glob(...configFiles)
    for (const path of files) yield kit.file(path).as(`config${path.slice('/etc'.length)}`)
    if (files.length === 0) yield kit.skipped('config', `none of ${configFiles.join(', ')} exists`)
    for (const unit of units) {
      // Installed, not active: the log of a daemon that will not start is the one that is wanted.
      const installed = await Promise.all(unitFolders.map((folder) => kit.stat(`${folder}/${unit}`)))
      if (installed.some((found) => found !== undefined)) yield kit.journal({ unit }).as(`logs/${unit}.log`).in('logs')
    }
    for (const path of await kit.glob(...logFiles)) {
      const folder = path.slice(0, path.lastIndexOf('/') + 1)
      yield kit.logs(path).as(`logs${folder}`).in('logs')
    }
  },
} satisfies Collector

/**
 * The engine ends its answer at `until`, so that has to lie in the past. Docker remembers its last 256 events; podman
 * tells past ones only if it need not stream.
 */
function eventsPath(intervals: readonly Interval[], nowMs: number): string {
  const sinceMs = Math.min(...intervals.map((interval) => interval.sinceMs), nowMs)
  const untilMs = Math.min(Math.max(...intervals.map((interval) => interval.untilMs), sinceMs), nowMs)
  return `/events?since=${unixSeconds(sinceMs)}&until=${unixSeconds(untilMs)}&stream=false`
}

const unixSeconds = (timeMs: number) => (Math.floor(timeMs) / 1000).toFixed(3)
