import type { Collector, Engine, Kit } from '../src/collector.ts'
import { deadFirst, folderOf, hasProcesses, processTable, type ListedContainer } from './lib/container-list.ts'
import { findAsked, once } from './lib/engine-socket.ts'

/** Per engine: a node with more is looked at through those in trouble and the newest; the list names them all. */
const maxContainers = 500

export default {
  title: 'Every container, dead ones first: configuration, state, processes, log',
  tier: 'state',
  async *collect(kit) {
    const { engines, skipped } = await findAsked(kit)
    yield* skipped
    for (const { engine, folder } of engines) yield* containersOf(engine, folder, kit)
  },
} satisfies Collector

async function* containersOf(engine: Engine, folder: string, kit: Kit) {
  const list = once(async () => (await engine.get('/containers/json?all=1')) as ListedContainer[])
  yield kit.json(`${folder}list.json`, list)
  const containers = deadFirst(await list().catch(() => []))
  for (const container of containers.slice(0, maxContainers)) {
    yield* described(container, engine, folder + folderOf(container), kit)
  }
  if (containers.length > maxContainers) {
    const left = containers.length - maxContainers
    yield kit.skipped(
      `${folder}more`,
      `${left} healthy or older containers beyond ${maxContainers} are in list.json only`,
    )
  }
}

function* described(container: ListedContainer, engine: Engine, folder: string, kit: Kit) {
  const path = `/containers/${container.Id}`
  const inspect = once(async () => (await engine.get(`${path}/json`)) as Inspected)
  yield kit.json(`${folder}/state.json`, async () => stateOf(container, await inspect()))
  yield kit.json(`${folder}/inspect.json`, inspect)
  if (hasProcesses(container)) {
    yield kit.text(`${folder}/top.txt`, async () => processTable((await engine.get(path + topQuery(engine))) as Top))
  }
  yield engine.logs(container.Id).as(`${folder}/log.log`).in('logs')
}

/** Docker runs ps on the host. Podman would run it inside the container, unless it is asked for columns of its own. */
const topQuery = ({ kind }: Engine) =>
  kind === 'podman' ? '/top?stream=false&ps_args=pid,ppid,user,state,pcpu,etime,time,args' : '/top'

type Top = Parameters<typeof processTable>[0]

interface Inspected {
  readonly Name: string
  readonly State: unknown
  readonly RestartCount?: number
  readonly Config?: { Image?: string }
  readonly HostConfig?: { RestartPolicy?: unknown; Memory?: number; NanoCpus?: number; PidsLimit?: number | null }
}

/** Of the long answer what is asked first: does it run, how did it end, how often, within which limits. */
const stateOf = ({ Id, Status }: ListedContainer, { Name, State, RestartCount, Config, HostConfig }: Inspected) => ({
  Id,
  Name,
  Image: Config?.Image,
  Status,
  State,
  RestartCount,
  RestartPolicy: HostConfig?.RestartPolicy,
  Limits: { MemoryBytes: HostConfig?.Memory, NanoCpus: HostConfig?.NanoCpus, Pids: HostConfig?.PidsLimit },
})
