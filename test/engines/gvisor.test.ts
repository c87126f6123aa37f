/** gVisor itself, where there is a `runsc` that has the cgroup Docker asks for: Debian 13 has, Debian 12 has not. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithDocker } from '../helpers/docker.ts'
import { environmentIn, expectLastWords } from './last-words.ts'
import { startPlace } from './place.ts'
import { INSTALL, MODEST, started } from './scripts.ts'

const { stdout, stderr } = spawnSync('runsc', ['flags'], { encoding: 'utf8' })
const isNewEnough = /^\s*-{1,2}host-uds\b/m.test(`${stdout}${stderr}`)

describeWithDocker(
  'a container of gVisor',
  (docker) => {
    test.runIf(isNewEnough)('an engine on a kernel that is emulated', async () => {
      const place = await startPlace(docker(), 'gvisor', { run: '/mnt', runtime: 'runsc' })
      const command = `dockerd ${MODEST} --storage-driver=vfs -H unix:///var/run/docker.sock -H unix:///mnt/docker.sock`
      await place.sh(INSTALL + started(command, '/var/log/dockerd.log'))
      await place.engine.importBusybox()
      await place.startDiagd()
      const environment = environmentIn(await expectLastWords(place))
      expect(environment).toMatchObject({
        engine: { label: 'rootful' },
        kernel: { isGvisor: true },
        process: { log: '/var/log/dockerd.log' },
        storage: { driver: 'vfs', toldDriver: 'vfs' },
        cgroup: { version: 'v1', driver: 'cgroupfs', controllers: expect.arrayContaining(['devices']) as string[] },
        network: { modules: [] },
      })
      expect(environment.cgroup.missing).toContain('blkio')
    })
  },
  ['--add-runtime', `runsc=${join(import.meta.dirname, 'runsc')}`],
)
