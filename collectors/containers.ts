import type { Artifact, Collector, Engine, KeptContainer, Kit } from '../src/collector.ts'
import { deadFirst, folderOf, hasProcesses, processTable, type ListedContainer } from './lib/container-list.ts'
import { findAsked, once, type AskedEngine } from './lib/engine-socket.ts'
import { keptState, withKept, type FoundContainer } from './lib/kept-containers.ts'

/** Per engine: a node with more is looked at through those in trouble and the newest; the list names them all. */
const maxContainers = 500
/** Of those that it has no more; what runs is not to be pushed out by what is gone. */
const maxGone = 250

export default {
  title: 'Every container, dead and removed ones first: configuration, state, processes, log',
  tier: 'state',
  async *collect(kit) {
    const { engines, skipped } = await findAsked(kit)
    yield* skipped
    const kept = await keptByEngine(kit)
    if (kept instanceof Error) yield kit.skipped('kept', `what was kept of containers cannot be read: ${kept.message}`)
    const known = kept instanceof Error ? new Map<string, KeptContainer[]>() : kept
    for (const asked of engines) {
      yield* containersOf(asked, known.get(asked.engine.label) ?? [], kit)
      known.delete(asked.engine.label)
    }
    for (const [label, containers] of known) {
      const folder = engines.length + known.size > 1 ? `${label}/` : ''
      yield* theFirst(withKept([], containers), folder, (container, place) => described(container, place, kit), kit)
    }
  },
} satisfies Collector

/** Of every engine, also of those that do not answer any more. */
async function keptByEngine({ containers }: Kit): Promise<Map<string, KeptContainer[]> | Error> {
  try {
    return Map.groupBy(await containers.kept(), ({ engine }) => engine)
  } catch (error) {
    return error as Error
  }
}

async function* containersOf({ engine, folder }: AskedEngine, kept: readonly KeptContainer[], kit: Kit) {
  const list = once(async () => (await engine.get('/containers/json?all=1')) as ListedContainer[])
  yield kit.json(`${folder}list.json`, list)
  const listed = await list().catch(() => [])
  const there = new Set(listed.map(({ Id }) => Id))
  const describe = (container: FoundContainer, place: string) =>
    there.has(container.Id) ? ofEngine(container, engine, place, kit) : described(container, place, kit)
  yield* theFirst(withKept(listed, kept), folder, describe, kit)
}

type Describe = (container: FoundContainer, place: string) => Iterable<Artifact>

function* theFirst({ there, gone }: ReturnType<typeof withKept>, folder: string, describe: Describe, kit: Kit) {
  const [live, lost] = [deadFirst(there), deadFirst(gone)]
  const first = deadFirst([...live.slice(0, maxContainers), ...lost.slice(0, maxGone)])
  for (const container of first) yield* describe(container, folder + folderOf(container))
  const [more, moreLost] = [live.slice(maxContainers), lost.slice(maxGone)]
  if (more.length > 0)
    yield kit.skipped(
      `${folder}more`,
      `${more.length} healthy or older containers beyond ${maxContainers} are in list.json only`,
    )
  if (moreLost.length > 0)
    yield kit.skipped(
      `${folder}more-removed`,
      `${moreLost.length} removed containers beyond ${maxGone} are left out: ${namesOf(moreLost)}`,
    )
}

const mostNames = 100

function namesOf(containers: readonly FoundContainer[]): string {
  const names = containers.slice(0, mostNames).map(folderOf).join(', ')
  return containers.length > mostNames ? `${names}, …` : names
}

/** One that no engine answers for: what is kept of it. */
function* described({ kept }: FoundContainer, place: string, kit: Kit) {
  if (!kept) return
  yield kit.json(`${place}/state.json`, () => keptState(kept))
  yield kit.json(`${place}/inspect.json`, () => kit.containers.inspect(kept))
  yield kit.containers.log(kept).as(`${place}/log.log`).in('logs')
}

function* ofEngine(container: FoundContainer, engine: Engine, place: string, kit: Kit) {
  const path = `/containers/${container.Id}`
  const { kept } = container
  const inspect = once(async () => (await engine.get(`${path}/json`)) as Inspected)
  yield kit.json(`${place}/state.json`, async () => ({
    ...stateOf(container, await inspect()),
    ...(kept && { kept: keptState(kept) }),
  }))
  yield kit.json(`${place}/inspect.json`, inspect)
  if (hasProcesses(container)) {
    yield kit.text(`${place}/top.txt`, async () => processTable((await engine.get(path + topQuery(engine))) as Top))
  }
  const log = kept ? kit.containers.log(kept, engine) : engine.logs(container.Id)
  yield log.as(`${place}/log.log`).in('logs')
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
