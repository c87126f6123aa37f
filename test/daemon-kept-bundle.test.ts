/** The bundle of a daemon that follows a real engine: what a container said that is gone, as it was stored. */
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { verifyBundle } from '../src/archive/verify.ts'
import { extract } from './helpers/archive.ts'
import { ownFolder, startDaemon, type TestDaemon } from './helpers/daemon.ts'
import { describeWithDocker, sh } from './helpers/docker.ts'

const SECRET = 'Tr0ub4dor-and-3'

/** Asks until it is so: nothing else tells. */
async function becomes(daemon: TestDaemon, path: string, word: string): Promise<void> {
  while (!(await daemon.ask('GET', path)).body.toString().includes(word))
    await new Promise((resolve) => setTimeout(resolve, 50))
}

describeWithDocker('the bundle of a daemon beside an engine', (docker) => {
  test('has the log of a container that is gone, spliced, masked, and whole', async () => {
    const daemon = await startDaemon({ DIAGD_CONTAINERS: '{}', DIAGD_ENGINES: docker().socket }, ownFolder())
    await becomes(daemon, '/containers', '"state":"following","containers"')
    const id = await docker().run('worker', {
      Cmd: sh('i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo line $i $DB_PASSWORD; done; exit 3'),
      Env: [`DB_PASSWORD=${SECRET}`],
    })
    await docker().ask('DELETE', `/containers/${id}`)
    await becomes(daemon, '/containers?name=worker&state=removed', '"logComplete":true')
    const { body } = await daemon.ask('GET', '/debug-package?only=containers&since=1h')
    expect((await verifyBundle(Readable.from([body]))).findings).toEqual([])
    const files = new Map(
      [...extract(body)].map(([path, bytes]) => [path.slice(path.indexOf('/') + 1), bytes.toString()]),
    )
    const folder = [...files.keys()].find((path) => path.endsWith(`/worker-${id.slice(0, 12)}/log.log`))!
    const log = files.get(folder)!
    expect(log).not.toContain(SECRET)
    const numbers = [...log.matchAll(/ stdout F line (\d+) <masked:/g)].map(([, digits]) => Number(digits))
    expect(numbers).toEqual(Array.from({ length: 2000 }, (_, index) => index + 1))
    const manifest = JSON.parse(files.get('manifest.json')!) as {
      rows: { path: string; outcome: string; segments?: object[] }[]
    }
    expect(manifest.rows.find(({ path }) => path === folder)).toMatchObject({
      outcome: 'ok',
      segments: [expect.anything()],
    })
    expect(JSON.parse(files.get(folder.replace('log.log', 'state.json'))!)).toMatchObject({
      state: 'removed',
      exitCode: 3,
    })
    expect(files.get('summary.txt')).toMatch(/worker: exited \(3\), removed 20/)
  })
})
