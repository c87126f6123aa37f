/** The entries about an engine that are made of more than one of its answers: where it runs, and what it pulled, pushed and built. */
import type { Artifact, Engine, Kit } from '../../src/collector.ts'
import { buildsText } from './docker-builds-text.ts'
import { engineLog, failedStart, tailOf, type EngineLog } from './docker-engine-log.ts'
import { askedOf, environmentOf, notAsked, type Asked } from './docker-environment.ts'
import { environmentText } from './docker-environment-text.ts'
import { buildCache, imageHistories, type ListedImage } from './docker-images.ts'
import { parseEngineLog, transfersIn } from './docker-log.ts'
import { engineProcesses } from './docker-process.ts'
import type { AskedEngine } from './engine-socket.ts'
import { once } from './proc-text.ts'
import { warningsOf } from './docker-warnings.ts'

const tailLines = 40
/** Of days of builds; older ones are in events/events.db. */
const mostEvents = 200
const signs = [
  '/usr/{bin,sbin}/dockerd',
  '/usr/local/{bin,sbin}/dockerd',
  '/etc/docker/daemon.json',
  '/var/log/dockerd.log',
  '/tmp/dockerd.log',
]

/** One pair for each engine. Where none was asked, for the one that should have been: it may have failed to start. */
export async function* whereEnginesRun(kit: Kit, engines: readonly AskedEngine[]): AsyncGenerator<Artifact> {
  const processes = once(() => engineProcesses(kit))
  const asked = engines.map(({ engine, folder }) => ({ asked: askedOf(engine), folder }))
  const targets = asked.length > 0 ? asked : await failed(kit)
  if (targets.length === 0) yield kit.skipped('environment.txt', `no engine, and none of ${signs.join(', ')}`)
  for (const { asked, folder } of targets) {
    const lookAround = once(async () => environmentOf(kit, asked, await processes()))
    const log = once(async () => engineLog(kit, await lookAround()))
    const look = once(async () => {
      const surroundings = await lookAround()
      return { ...surroundings, failedStart: failedStart(surroundings, await log()) }
    })
    yield kit.text(`${folder}environment.txt`, async () =>
      environmentText(await look(), tailOf(await log(), tailLines)),
    )
    yield kit.json(`${folder}environment.json`, async () => {
      const environment = await look()
      return { warnings: warningsOf(environment), ...environment }
    })
    const { engine } = asked
    if (!engine) continue
    yield kit.text(`${folder}builds.txt`, () => builds(kit, engine, log))
    yield kit.json(`${folder}image-history.json`, () => imageHistories(kit, engine))
    yield kit.json(`${folder}build-cache.json`, () => buildCache(engine)).in('bulk')
  }
}

async function builds(kit: Kit, engine: Engine, log: () => Promise<EngineLog | undefined>): Promise<string> {
  const why = (what: string) => (error: unknown) => `${what}: ${error instanceof Error ? error.message : String(error)}`
  const [images, events, found] = await Promise.all([
    engine.get('/images/json').then((answer) => answer as ListedImage[], why('not known')),
    kit.events.newest({ typePrefix: 'image', limit: mostEvents }).catch(why('not known')),
    log(),
  ])
  return buildsText({ images, events, log: found?.from, transfers: transfersIn(parseEngineLog(found?.text ?? '')) })
}

async function failed(kit: Kit): Promise<{ asked: Asked; folder: string }[]> {
  const { absent } = await kit.engines()
  if (absent[0]) return [{ asked: notAsked(absent[0]), folder: '' }]
  if ((await kit.glob(...signs)).length === 0) return []
  return [{ asked: notAsked({ socket: '/run/docker.sock', reason: 'it does not exist' }), folder: '' }]
}
