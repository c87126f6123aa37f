/** Engines that are not there until somebody wants one, or are no Docker: diagd beside them starts nothing. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeWithDocker } from '../helpers/docker.ts'
import { environmentIn, expectLastWords } from './last-words.ts'
import { startPlace, type Place } from './place.ts'
import { BEST_DRIVER, INSTALL, INSTALL_PODMAN, LAZY_DOCKER, OWN_CGROUPS } from './scripts.ts'

/** Nothing of what the script leaves behind is counted as its run. */
const runs = (place: Place) =>
  place.sh(`echo $(cat /wrapper-ran 2>/dev/null | wc -l) $(cat /proc/[0-9]*/comm | grep -c '^dockerd$')`)

describeWithDocker(
  'a Pod',
  (docker) => {
    test('where docker is a script that starts the engine: diagd does not run it, and follows the engine once it is there', async () => {
      const place = await startPlace(docker(), 'lazy')
      await place.sh(OWN_CGROUPS + INSTALL + LAZY_DOCKER)
      await place.startDiagd()
      const before = environmentIn(await place.bundle())
      expect(before.engine).toMatchObject({ notAsked: 'it does not exist' })
      expect(before.lazyStart.script).toEqual({ path: '/usr/local/bin/docker', startsEngine: true })
      expect(await runs(place)).toBe('0 0\n')

      await place.sh('docker ps')
      await place.engine.importBusybox()
      const bundle = await expectLastWords(place)
      expect(await runs(place)).toBe('1 1\n')
      const environment = environmentIn(bundle)
      const { pid } = environment.process!
      expect(environment).toMatchObject({
        process: { startedBy: 'a script that starts the engine when it is needed: /tmp/dockerd.pid names its pid' },
        storage: { driver: 'overlay2', mount: { point: '/var/lib/docker', type: 'tmpfs' }, inMemory: true },
        lazyStart: { realCommand: '/usr/local/bin/docker.real', pids: [{ path: '/tmp/dockerd.pid', pid }] },
      })
      expect(environment.lazyStart.files.map(({ path }) => path)).toEqual([
        '/tmp/dockerd.lock',
        '/tmp/dockerd.log',
        '/tmp/dockerd.pid',
      ])
      expect(environment.warnings[0]).toMatch(/^the data root \/var\/lib\/docker is in memory \(tmpfs\)/)
      expect(bundle.text('docker/logs/tmp/dockerd.log')).toContain('API listen on /var/run/docker.sock')
    })

    test.runIf(existsSync('/usr/bin/podman') || process.env['CI'])('with the service of podman', async () => {
      const place = await startPlace(docker(), 'podman', { socket: 'podman/podman.sock' })
      await place.sh(OWN_CGROUPS + INSTALL_PODMAN)
      await place.startDiagd()
      await place.sh(`podman system service --time=0 unix:///run/podman/podman.sock >/var/log/podman.log 2>&1 &
until [ -S /run/podman/podman.sock ]; do kill -0 $! || { cat /var/log/podman.log; exit 1; }; sleep 0.05; done`)
      await place.engine.importBusybox()
      // Podman deletes the log of a container with --rm before its own follower has read the end, at times.
      const environment = environmentIn(await expectLastWords(place, { AutoRemove: false }))
      expect(environment).toMatchObject({
        engine: { label: 'podman', kind: 'podman' },
        socket: { path: '/run/podman/podman.sock', mode: '0600', uid: 0 },
        process: { commandLine: ['podman', 'system', 'service', '--time=0', 'unix:///run/podman/podman.sock'] },
        rootless: false,
        runtime: 'runc',
        storage: { driver: 'vfs', dataRoot: '/var/lib/containers/storage' },
        cgroup: { driver: 'cgroupfs', missing: [] },
      })
    })
  },
  BEST_DRIVER,
)
