/** What holds in every place: what a container said is kept though it was removed at once, and is in a whole bundle. */
import { expect } from 'vitest'
import type { Environment } from '../../collectors/lib/docker-environment.ts'
import { messages } from '../record/containers/tail-kit.ts'
import type { Bundle } from '../system/harness/diagd.ts'
import type { Place } from './place.ts'

/**
 * Runs a container that is removed when it ends, by the engine (`AutoRemove`) or by somebody; resolves to a whole bundle that was made after
 * that.
 */
export async function expectLastWords(
  { engine, sh, kept, ask, bundle }: Place,
  { AutoRemove = true } = {},
): Promise<Bundle> {
  await sh('mkdir /end')
  const id = await engine.start('brief', {
    Cmd: ['sh', '-c', 'echo ready; while [ ! -e /end/now ]; do sleep 0.05; done; echo last words >&2; exit 3'],
    HostConfig: { AutoRemove, Binds: ['/end:/end'] },
  })
  await kept('brief', ({ log }) => log.lines === 1)
  await sh('echo >/end/now')
  if (!AutoRemove) {
    await kept('brief', ({ state, logComplete }) => state === 'exited' && logComplete === true)
    await engine.ask('DELETE', `/containers/${id}`)
  }
  await kept('brief', ({ state, logComplete }) => state === 'removed' && logComplete === true)
  expect(await ask('/containers?name=brief')).toMatchObject({ containers: [{ id, state: 'removed', exitCode: 3 }] })
  const { lines } = (await ask('/logs?container=brief&order=oldest')) as { lines: readonly { message: string }[] }
  expect(lines.map(({ message }) => message)).toEqual(['ready', 'last words'])
  const before = await things(engine)
  const made = await bundle()
  expect(await things(engine)).toEqual(before)
  const log = messages(made.text(`containers/brief-${id.slice(0, 12)}/log.log`))
  expect(log).toEqual(['stdout F ready', 'stderr F last words'])
  return made
}

export function environmentIn({ text }: Bundle): Environment & { readonly warnings: readonly string[] } {
  return JSON.parse(text('docker/environment.json')) as Environment & { readonly warnings: readonly string[] }
}

/** What asking must not change: names only, in one order, for engines shuffle them and podman tells the time of its answer. */
async function things({ ask }: Place['engine']): Promise<string[]> {
  const [containers, images, networks, { Volumes }] = (await Promise.all(
    ['/containers/json?all=1', '/images/json', '/networks', '/volumes'].map((path) => ask('GET', path)),
  )) as [Named[], Named[], Named[], { Volumes: Named[] | null }]
  return [containers, images, networks, Volumes ?? []]
    .flat()
    .map(({ Id, Name }) => Id ?? Name ?? '')
    .toSorted()
}

interface Named {
  readonly Id?: string
  readonly Name?: string
}
