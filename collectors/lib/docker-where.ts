/** The entries that tell where an engine runs: docker/environment.txt and .json. */
import type { Artifact, Kit } from '../../src/collector.ts'
import { engineLog, tailOf } from './docker-engine-log.ts'
import { askedOf, environmentOf, notAsked, type Asked } from './docker-environment.ts'
import { environmentText } from './docker-environment-text.ts'
import { engineProcesses } from './docker-process.ts'
import type { AskedEngine } from './engine-socket.ts'
import { once } from './proc-text.ts'
import { warningsOf } from './docker-warnings.ts'

const tailLines = 40
const signs = ['/{usr,usr/local}/{bin,sbin}/dockerd', '/etc/docker/daemon.json', '/{var/log,tmp}/dockerd.log']

/** One pair for each engine. Where none was asked, for the one that should have been: it may have failed to start. */
export async function* whereEnginesRun(kit: Kit, engines: readonly AskedEngine[]): AsyncGenerator<Artifact> {
  const processes = once(() => engineProcesses(kit))
  const asked = engines.map(({ engine, folder }) => ({ asked: askedOf(engine), folder }))
  const targets = asked.length > 0 ? asked : await failed(kit)
  if (targets.length === 0) yield kit.skipped('environment.txt', `no engine, and none of ${signs.join(', ')}`)
  for (const { asked, folder } of targets) {
    const look = once(async () => environmentOf(kit, asked, await processes()))
    yield kit.text(`${folder}environment.txt`, async () => {
      const environment = await look()
      return environmentText(environment, tailOf(await engineLog(kit, environment), tailLines))
    })
    yield kit.json(`${folder}environment.json`, async () => {
      const environment = await look()
      return { warnings: warningsOf(environment), ...environment }
    })
  }
}

async function failed(kit: Kit): Promise<{ asked: Asked; folder: string }[]> {
  const { absent } = await kit.engines()
  if (absent[0]) return [{ asked: notAsked(absent[0]), folder: '' }]
  if ((await kit.glob(...signs)).length === 0) return []
  return [{ asked: notAsked({ socket: '/run/docker.sock', reason: 'it does not exist' }), folder: '' }]
}
