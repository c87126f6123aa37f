/** What `serve` puts together: the kernel's word on a container, once it is recorded, reaches what is kept of it. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createRecorders } from '../../src/cli/serve-recorders.ts'
import { createDeps, type BundleDeps } from '../../src/collect/deps.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createLog } from '../../src/log.ts'
import { createKept } from '../../src/record/containers/kept.ts'
import type { KeptContainer } from '../../src/record/containers/container.ts'
import { ownFolder } from '../helpers/daemon.ts'
import { describeWithDocker, sh } from '../helpers/docker.ts'

/** Records events, and follows the containers of that engine. */
async function serving(socket: string, stateDir: string) {
  mkdirSync(stateDir, { recursive: true })
  const environment = { STATE_DIRECTORY: stateDir, DIAGD_CONFIG_DIR: stateDir, DIAGD_ENGINES: socket }
  const { config } = await loadConfig({ ...environment, DIAGD_CONTAINERS: '{}', DIAGD_METRICS: 'none' }, 0)
  let deps: BundleDeps | undefined
  const { recording, keeping } = createRecorders(config, () => deps!, createLog('fatal', process.stderr))
  deps = await createDeps(config, { startedAtMs: Date.now(), log: () => '', health: () => ({}) })
  recording!.start()
  keeping!.start()
  let closed: Promise<void> | undefined
  const close = () => (closed ??= keeping!.close().then(() => recording!.close()))
  onTestFinished(close)
  const kept = async (name: string, fits: (container: KeptContainer) => boolean) => {
    for (;;) {
      await keeping!.flush()
      const found = (await createKept(stateDir).list()).find((one) => one.name === name)
      if (found && fits(found)) return found
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const said = (id: string) => {
    const event = {
      type: 'kernel.oom',
      source: 'kernel',
      level: 'error',
      subject: `/docker/${id}`,
      message: '',
    } as const
    return recording!.add([{ ...recording!.now(), ...event }])
  }
  return { kept, said, close, keeping: keeping! }
}

describeWithDocker('a container of which the kernel says that it ran out of memory', (docker) => {
  test('is known to have, when it is recorded, and when that was recorded before', async () => {
    const stateDir = join(ownFolder(), 'state')
    const first = await serving(docker().socket, stateDir)
    const ids = []
    for (const name of ['now', 'before', 'never']) {
      ids.push(
        await docker().start(name, { Cmd: sh('trap "exit 137" USR1; echo ready; while :; do sleep 0.01; done') }),
      )
      await first.kept(name, ({ log }) => log.lines === 1)
    }
    for (const id of ids) await docker().ask('POST', `/containers/${id}/kill?signal=USR1`)
    for (const name of ['now', 'before', 'never'])
      expect(await first.kept(name, ({ logComplete }) => logComplete === true)).toMatchObject({ oomKilled: false })
    await first.said(ids[0]!)
    await first.kept('now', ({ oomKilled }) => oomKilled === true)
    // It is recorded, and diagd ends before it gets any further.
    await first.keeping.close()
    await first.said(ids[1]!)
    await first.close()
    const second = await serving(docker().socket, stateDir)
    await second.kept('before', ({ oomKilled }) => oomKilled === true)
    await second.kept('now', ({ oomKilled }) => oomKilled === true)
    await second.kept('never', ({ oomKilled }) => oomKilled === false)
  })
})
