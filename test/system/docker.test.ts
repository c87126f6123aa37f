/** diagd beside the engines, root's and a user's: neither starts, stops or restarts the other. */
import { expect, test } from 'vitest'
import type { Environment } from '../../collectors/lib/docker-environment.ts'
import { messages } from '../record/containers/tail-kit.ts'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle, property } from './harness/diagd.ts'

describeVm('beside docker', { copies: { '/opt/image/bin/busybox': '/bin/busybox' } }, (vm) => {
  test('a restart of docker leaves it running, the same process', async () => {
    const before = await property(vm(), 'MainPID', 'NRestarts')
    await vm().sh('systemctl restart docker.service docker.socket')
    expect(await property(vm(), 'MainPID', 'NRestarts')).toEqual(before)
    expect((await fetchBundle(vm(), '?only=docker')).text('docker/version.json')).toContain('"Version"')
  })

  test('so does a restart of containerd, and of all that docker needs', async () => {
    const before = await property(vm(), 'MainPID', 'NRestarts')
    await vm().sh('systemctl restart containerd.service dbus.service systemd-journald.service')
    expect(await property(vm(), 'MainPID', 'NRestarts')).toEqual(before)
    expect(await vm().run('systemctl', 'show', '--property=After,Requires,Wants,BindsTo,PartOf', 'diagd')).not.toMatch(
      /docker|containerd/,
    )
  })

  test('a docker that is stopped stays stopped, though its socket would start it', async () => {
    await vm().sh('systemctl stop docker.service && systemctl is-active docker.socket')
    const { files } = await fetchBundle(vm())
    expect(files.has('docker/version.json')).toBe(false)
    expect(await vm().sh('systemctl is-active docker.service || true; systemctl is-active docker.socket')).toBe(
      'inactive\nactive',
    )
  })

  test("a user's own engine is followed once diagd is in the group of its socket; root's stays stopped", async () => {
    await vm().sh(ROOTLESS)
    await vm().until(/API listen on \/run\/user\/1000\/docker\.sock/, ...LOG)
    await vm().sh(tells('permission denied on /run/user/1000/docker.sock: add the user to its group'))
    await vm().sh(`groupadd --gid "$(stat -c %g /run/user/1000/docker.sock)" docker-of-1000
gpasswd --add diagd docker-of-1000
systemctl restart diagd
${tells('"state":"following","containers":0,"label":"rootless-1000"')}`)
    const id = await vm().sh(BRIEF)
    await vm().sh(`${tells('"name":"brief".*"lines":1,')}
echo >/opt/end/now
${tells('"name":"brief".*"state":"removed".*"exitCode":3.*"lines":2,')}`)

    const { text } = await fetchBundle(vm())
    const log = messages(text(`containers/brief-${id.slice(0, 12)}/log.log`))
    expect(log).toEqual(['stdout F ready', 'stderr F last words'])
    const environment = JSON.parse(text('docker/environment.json')) as Environment
    expect(environment).toMatchObject({
      engine: { label: 'rootless-1000', kind: 'docker' },
      socket: { path: '/run/user/1000/docker.sock', mode: '1660', user: 'debian' },
      process: { uid: 1000, startedBy: 'systemd of user 1000, unit docker.service' },
      rootless: true,
      storage: { driver: 'vfs', dataRoot: '/home/debian/.local/share/docker', inMemory: false },
      network: { settings: { iptables: 'false' } },
    })
    // Without version 2 a user has no control groups.
    if (environment.cgroup.version !== 'v2') expect(environment.cgroup.driver).toBe('none')
    expect(text('docker/environment.txt')).toMatch(
      /LAST LINES OF ITS LOG\n[^]*API listen on \/run\/user\/1000\/docker\.sock/,
    )
    expect(await vm().sh('systemctl is-active docker.service || true; systemctl is-active docker.socket')).toBe(
      'inactive\nactive',
    )
  })
})

/** As a user starts it on a machine where they stay logged in. */
const ROOTLESS = `loginctl enable-linger debian
until [ -S /run/user/1000/bus ]; do sleep 0.1; done
chmod 666 /dev/net/tun
runuser -u debian -- env XDG_RUNTIME_DIR=/run/user/1000 systemd-run --user --quiet --unit=docker --setenv=PATH="$PATH" \
  /usr/share/docker.io/contrib/dockerd-rootless.sh --storage-driver=vfs --iptables=false`

const LOG = 'journalctl --follow --lines=all --output=cat _SYSTEMD_USER_UNIT=docker.service'.split(' ') as [string]

/** Waits until GET /containers says it. */
const tells = (pattern: string) =>
  `until curl --silent --unix-socket /run/diagd/diagd.sock http://localhost/containers | grep -q '${pattern}'; do sleep 0.1; done`

/** Removed when it ends; its id is printed. */
const BRIEF = `mkdir /opt/end
for name in sh echo sleep; do ln -s busybox /opt/image/bin/$name; done
export DOCKER_HOST=unix:///run/user/1000/docker.sock
tar -C /opt/image -c . | docker import - busybox >/dev/null
docker run --detach --rm --network none --volume /opt/end:/end --name brief busybox \
  sh -c 'echo ready; while [ ! -e /end/now ]; do sleep 0.05; done; echo last words >&2; exit 3'`
