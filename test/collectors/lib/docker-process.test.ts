import { describe, expect, test } from 'vitest'
import { engineProcesses, serverOf, startedBy, type EngineProcess } from '../../../collectors/lib/docker-process.ts'
import { parseFlags } from '../../../collectors/lib/docker-settings.ts'
import { testKit, tree } from '../../helpers/kit.ts'

const host = (systemd: boolean) => testKit({ root: '/nonexistent', host: { systemd } })

function engine(args: string, rest: Partial<EngineProcess> = {}): EngineProcess {
  const words = args.split(' ')
  const flags = parseFlags(words.slice(1))
  const ancestors = [{ pid: 1, command: '/sbin/init' }]
  return { pid: 7, program: words[0]!, uid: 0, args: words, flags, cgroup: '/', ancestors, nested: false, ...rest }
}

describe('the process of an engine', () => {
  const docker = { kind: 'docker', socket: '/run/docker.sock', uid: 0 }

  test('is the one whose flags name the socket, by whichever path', () => {
    const named = engine('dockerd -H unix:///var/run/docker.sock', { pid: 8 })
    expect(serverOf(docker, [engine('dockerd -H unix:///other.sock'), named])).toBe(named)
  })

  test('is the only one of the owner that was told of no path, if none names it', () => {
    const usual = engine('dockerd -H fd://')
    const ofUser = engine('dockerd', { uid: 1000, pid: 9 })
    expect(serverOf(docker, [ofUser, usual])).toBe(usual)
    expect(serverOf({ ...docker, uid: 1000 }, [ofUser, usual])).toBe(ofUser)
    expect(serverOf(docker, [usual, engine('dockerd', { pid: 10 })])).toBeUndefined()
  })

  test("is root's or the owner's: anybody can start something of that name", () => {
    const fake = engine('dockerd -H unix:///run/docker.sock', { uid: 1000 })
    expect(serverOf(docker, [fake])).toBeUndefined()
    expect(serverOf({ ...docker, uid: 1000 }, [fake])).toBe(fake)
  })

  test('is none of a container', () => {
    expect(serverOf(docker, [engine('dockerd', { nested: true })])).toBeUndefined()
  })

  test('is podman for a socket of podman', () => {
    const podman = engine('podman system service --time=0 unix:///run/podman.sock')
    expect(serverOf({ kind: 'podman', socket: '/run/podman.sock', uid: 0 }, [engine('dockerd'), podman])).toBe(podman)
  })
})

describe('what started an engine', () => {
  test('is its unit where systemd runs, with a word about its socket', () => {
    const process = engine('dockerd -H fd://', { cgroup: '/system.slice/docker.service' })
    expect(startedBy(process, host(true), [])).toBe(
      'systemd unit docker.service, its socket held by systemd (-H fd://)',
    )
    expect(startedBy(process, host(false), [])).toMatch(/^unknown: what started it has ended/)
  })

  test('is the script whose pid file names it', () => {
    const lazy = [{ path: '/tmp/dockerd.pid', pid: 7 }]
    expect(startedBy(engine('dockerd'), host(false), lazy)).toMatch(/\/tmp\/dockerd\.pid names its pid$/)
  })

  test('is rootlesskit, an entry script, or whatever its parent is', () => {
    const under = (...commands: string[]) => {
      const ancestors = commands.map((command, at) => ({ pid: 20 - at, command }))
      return startedBy(engine('dockerd', { ancestors }), host(false), [])
    }
    expect(under('/proc/self/exe dockerd-rootless.sh', 'rootlesskit --net=slirp4netns')).toMatch(
      /^rootlesskit \(pid 20\)/,
    )
    expect(under('sh', '/bin/sh /usr/local/bin/dockerd-entrypoint.sh')).toBe(
      'script, pid 19: /bin/sh /usr/local/bin/dockerd-entrypoint.sh',
    )
    expect(under('bash /opt/agent.sh')).toBe('pid 20: bash /opt/agent.sh')
  })
})

test('engines are found in /proc with their parents up to PID 1; a podman that serves nothing is none', async () => {
  const stat = (pid: number, comm: string, ppid: number) => `${pid} (${comm}) S ${ppid} ${'0 '.repeat(20)}\n`
  const root = await tree({
    '/proc/1/stat': stat(1, 'tini', 0),
    '/proc/1/cmdline': 'tini\0--\0agent\0',
    '/proc/40/stat': stat(40, 'bash', 1),
    '/proc/40/cmdline': 'bash\0/usr/bin/docker\0ps\0',
    '/proc/41/stat': stat(41, 'dockerd', 40),
    '/proc/41/status': 'Name:\tdockerd\nNSpid:\t41\nUid:\t0\t0\t0\t0\n',
    '/proc/41/cmdline': 'dockerd\0--storage-driver=vfs\0',
    '/proc/42/stat': stat(42, 'podman', 40),
    '/proc/42/cmdline': 'podman\0run\0busybox\0',
    '/proc/43/stat': stat(43, 'dockerd', 40),
    '/proc/43/status': 'Name:\tdockerd\nNSpid:\t43\t5\nUid:\t0\t0\t0\t0\n',
  })
  expect(await engineProcesses(testKit({ root }))).toMatchObject([
    {
      pid: 41,
      uid: 0,
      nested: false,
      args: ['dockerd', '--storage-driver=vfs'],
      ancestors: [
        { pid: 40, command: 'bash /usr/bin/docker ps' },
        { pid: 1, command: 'tini -- agent' },
      ],
    },
    { pid: 43, nested: true },
  ])
})
