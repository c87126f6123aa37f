/** An engine inside a container, with diagd beside it: found, followed, described, and left alone. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeWithDocker } from '../helpers/docker.ts'
import { environmentIn, expectLastWords } from './last-words.ts'
import { startPlace, type Place } from './place.ts'
import { BEST_DRIVER, INSTALL, MODEST, NO_CGROUPS, OWN_CGROUPS, started } from './scripts.ts'

const cgroups = (place: Place) => place.sh('[ -e /sys/fs/cgroup/cgroup.controllers ] && echo -n v2 || echo -n v1')
const rootType = (place: Place) => place.sh(`awk '$2 == "/" { printf $3 }' /proc/mounts`)

describeWithDocker(
  'a container that is as good as privileged',
  (docker) => {
    test('an engine that is installed and started long after diagd, on the file system of the container', async () => {
      const place = await startPlace(docker(), 'late', { run: '/var/run' })
      await place.startDiagd()
      const before = await place.bundle('?only=docker,containers')
      expect(before.files.has('docker/environment.json')).toBe(false)
      expect(await place.sh('ls /var/run')).toBe('')
      await place.sh(OWN_CGROUPS + INSTALL + started('dockerd', '/tmp/dockerd.log'))
      await place.engine.importBusybox()
      const environment = environmentIn(await expectLastWords(place))
      const onOverlay = (await rootType(place)) === 'overlay'
      expect(environment).toMatchObject({
        engine: { label: 'rootful', kind: 'docker' },
        socket: { path: '/var/run/docker.sock', kind: 'socket', mode: '0660', uid: 0 },
        process: { commandLine: ['dockerd'], log: '/tmp/dockerd.log', uid: 0 },
        rootless: false,
        storage: { driver: onOverlay ? 'vfs' : 'overlay2', dataRoot: '/var/lib/docker', inMemory: false },
        cgroup: { version: await cgroups(place), driver: 'cgroupfs', missing: [], readOnly: [] },
        rootPropagation: { of: 'PID 1', mode: expect.stringMatching(/^(private|master:\d+)$/) as string },
        network: { settings: {}, commandIs: 'nft', ipv4Forwarding: '1' },
        lazyStart: { files: [{ path: '/tmp/dockerd.log' }], pids: [] },
      })
      expect(environment.process?.startedBy).toMatch(/^unknown: what started it has ended/)
      if (onOverlay) expect(environment.warnings[0]).toMatch(/^overlay on overlay: .* fell back to vfs$/)
    })

    test('an engine that a script started before diagd, with cgroups and a volume, its socket open to all', async () => {
      const place = await startPlace(docker(), 'nested', { volume: '/var/lib/docker' })
      await place.sh(OWN_CGROUPS + INSTALL + ENTRYPOINT)
      await place.engine.importBusybox()
      await place.startDiagd()
      const bundle = await expectLastWords(place)
      const environment = environmentIn(bundle)
      expect(environment).toMatchObject({
        socket: { path: '/run/docker.sock', mode: '0666' },
        process: { log: '/var/log/dockerd.log' },
        storage: { driver: 'overlay2', mount: { point: '/var/lib/docker' }, inMemory: false },
        cgroup: { version: await cgroups(place), missing: [] },
        rootPropagation: { of: 'PID 1', mode: expect.stringContaining('shared:') as string },
        registries: {
          mirrors: ['https://mirror.example.com/'],
          proxies: { http: expect.stringContaining('proxy.example.com:3128') as string },
        },
      })
      expect(environment.process?.startedBy).toMatch(/^script, pid \d+: .*dockerd-entrypoint\.sh$/)
      expect(environment.storage.driverStatus).toContainEqual(['Backing Filesystem', expect.any(String)])
      expect(environment.warnings).toContain(
        'the socket /run/docker.sock has mode 0666: every user here can become root through it',
      )
      expect(bundle.text('docker/logs/var/log/dockerd.log')).toContain('API listen on /var/run/docker.sock')
      for (const text of bundle.files.values()) expect(text.includes('hunter2hunter2')).toBe(false)
    })

    // Docker asks for that one tree of version 1 and for no other.
    test.runIf(existsSync('/sys/fs/cgroup/devices'))('an engine without cgroups, network and overlays', async () => {
      const place = await startPlace(docker(), 'bare')
      await place.sh(NO_CGROUPS + INSTALL)
      await place.startDiagd()
      const command = `dockerd ${MODEST} --storage-driver=vfs`
      await place.sh(`! ${command} >/var/log/dockerd.log 2>&1`)
      const refused = environmentIn(await place.bundle('?only=docker'))
      expect(refused.warnings[0]).toBe("the engine did not start, its log says: Devices cgroup isn't mounted")
      expect(refused).toMatchObject({ cgroup: { version: 'none' }, engine: { notAsked: expect.any(String) as string } })
      expect(refused.process).toBeUndefined()

      await place.sh(`mkdir /sys/fs/cgroup/devices; mount -t cgroup -o devices devices /sys/fs/cgroup/devices
${started(command, '/var/log/dockerd.log')}`)
      await place.engine.importBusybox()
      const environment = environmentIn(await expectLastWords(place))
      expect(environment).toMatchObject({
        cgroup: { version: 'v1', controllers: ['devices'] },
        storage: { driver: 'vfs', toldDriver: 'vfs' },
        network: { settings: Object.fromEntries(MODEST.split(' ').map((flag) => flag.slice(2).split('='))) },
      })
      expect(environment.cgroup.missing).toEqual(['cpu', 'cpuacct', 'cpuset', 'memory', 'freezer', 'blkio', 'pids'])
      expect(environment.warnings).toEqual(
        expect.arrayContaining([
          'cgroup v1 without cpu, cpuacct, cpuset, memory, freezer, blkio, pids: those limits cannot work',
          '--bridge=none: containers have no default network',
        ]),
      )
    })
  },
  BEST_DRIVER,
)

/** As images for it have one: it makes mounts reach the engine's containers, and stays the engine's parent. */
const ENTRYPOINT = `
mount --make-rshared /
cat >/usr/local/bin/dockerd-entrypoint.sh <<'EOF'
#!/bin/sh
export HTTP_PROXY=http://bob:hunter2hunter2@proxy.example.com:3128
dockerd --registry-mirror=https://mirror.example.com
exit 1
EOF
chmod +x /usr/local/bin/dockerd-entrypoint.sh
${started('/usr/local/bin/dockerd-entrypoint.sh', '/var/log/dockerd.log')}
chmod 666 /run/docker.sock
`
