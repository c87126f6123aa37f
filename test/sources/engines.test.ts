import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { engineProcesses } from '../../src/sources/engine-processes.ts'
import { findEngines } from '../../src/sources/engines.ts'
import { describeWithDocker } from '../helpers/docker.ts'
import { ownFolder, peer, sourceContext } from '../helpers/source.ts'

/** A host of our own: a root folder with sockets that are listened on, processes and units. */
async function host() {
  const root = await ownFolder()
  await chmod(root, 0o755)
  const put = async (path: string, text: string) => {
    await mkdir(dirname(root + path), { recursive: true })
    await writeFile(root + path, text)
  }
  return {
    root,
    put,
    socket: async (path: string) => {
      await mkdir(dirname(root + path), { recursive: true })
      return peer(root + path, () => {})
    },
    process: async (pid: number, comm: string, { uid = 0, nsPids = [pid], argv = [comm] } = {}) => {
      await put(`/proc/${pid}/comm`, `${comm}\n`)
      const uids = [uid, uid, uid, uid].join('\t')
      await put(`/proc/${pid}/status`, `Name:\t${comm}\nUid:\t${uids}\nNSpid:\t${nsPids.join('\t')}\n`)
      await put(`/proc/${pid}/cmdline`, argv.map((arg) => `${arg}\0`).join(''))
    },
    unit: async (name: string) => {
      await mkdir(join(root, 'run/systemd/units'), { recursive: true })
      await symlink('0123456789abcdef', join(root, `run/systemd/units/invocation:${name}`))
    },
    find: (options: Parameters<typeof findEngines>[1] = {}) => findEngines(sourceContext({}, { root }), options),
  }
}

const GROUP = 4243

/** As the service finds them: without root, with the capability to look into every folder. */
async function findAsNobody(root: string, group = GROUP): ReturnType<typeof findEngines> {
  const script = `import { findEngines } from ${JSON.stringify(join(import.meta.dirname, '../../src/sources/engines.ts'))}
    const context = { root: ${JSON.stringify(root)}, signal: new AbortController().signal }
    console.log(JSON.stringify(await findEngines(context, {})))`
  const nobody = ['--reuid=65534', '--regid=65534', `--groups=${group}`]
  const capable = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
  const node = [process.execPath, '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)('setpriv', [...nobody, ...capable, ...node])
  return JSON.parse(stdout) as Awaited<ReturnType<typeof findEngines>>
}

const stopped = expect.stringContaining('connecting could start a stopped engine') as string

describe('a socket that is found', () => {
  test('is not touched while its engine is stopped: systemd would start it', async () => {
    const { socket, find } = await host()
    const docker = await socket('/run/docker.sock')
    const podman = await socket('/run/podman/podman.sock')
    expect(await find()).toEqual({
      present: [],
      absent: [
        { socket: '/run/docker.sock', reason: stopped },
        { socket: '/run/podman/podman.sock', reason: stopped },
      ],
    })
    expect(docker.connections() + podman.connections()).toBe(0)
  })

  test('is found in /var/run, too, where that is a folder of its own', async () => {
    const { socket, process, find } = await host()
    await socket('/var/run/docker.sock')
    await process(812, 'dockerd')
    expect(await find()).toEqual({
      present: [{ kind: 'docker', socket: '/var/run/docker.sock', label: 'rootful' }],
      absent: [],
    })
  })

  test('is asked when dockerd runs, and not even then by looking', async () => {
    const { socket, process, find } = await host()
    const docker = await socket('/run/docker.sock')
    await process(812, 'dockerd')
    expect(await find()).toEqual({
      present: [{ kind: 'docker', socket: '/run/docker.sock', label: 'rootful' }],
      absent: [],
    })
    expect(docker.connections()).toBe(0)
  })

  test('is asked when its unit is active, also if processes are hidden', async () => {
    const { socket, unit, find } = await host()
    await socket('/run/docker.sock')
    await unit('docker.service')
    expect((await find()).present).toMatchObject([{ label: 'rootful' }])
  })

  test("is not asked because of a container's own dockerd", async () => {
    const { socket, process, find } = await host()
    await socket('/run/docker.sock')
    await process(4242, 'dockerd', { nsPids: [4242, 17] })
    expect(await find()).toMatchObject({ present: [], absent: [{ reason: stopped }] })
  })

  test("is not asked because of another user's dockerd", async () => {
    const { socket, process, find } = await host()
    await socket('/run/docker.sock')
    await socket('/run/user/1000/docker.sock')
    await socket('/run/user/1001/docker.sock')
    await process(900, 'dockerd', { uid: 1000 })
    const { present, absent } = await find()
    expect(present).toEqual([{ kind: 'docker', socket: '/run/user/1000/docker.sock', label: 'rootless-1000' }])
    expect(absent.map((engine) => engine.socket)).toEqual(['/run/docker.sock', '/run/user/1001/docker.sock'])
  })

  test('of podman is asked when its service runs, not when just any podman does', async () => {
    const { socket, process, find } = await host()
    await socket('/run/podman/podman.sock')
    await process(300, 'podman', { argv: ['podman', 'run', 'system', 'x'] })
    expect((await find()).present).toEqual([])
    await process(301, 'podman', { argv: ['/usr/bin/podman', '--log-level=info', 'system', 'service', '--time=0'] })
    expect((await find()).present).toEqual([{ kind: 'podman', socket: '/run/podman/podman.sock', label: 'podman' }])
  })

  test('is nothing to speak of when it is not there', async () => {
    const { process, find } = await host()
    await process(812, 'dockerd')
    expect(await find()).toEqual({ present: [], absent: [] })
  })

  test('has to be a socket', async () => {
    const { put, process, find } = await host()
    await put('/run/docker.sock', 'not a socket')
    await process(812, 'dockerd')
    expect(await find()).toEqual({
      present: [],
      absent: [{ socket: '/run/docker.sock', reason: 'it is not a socket' }],
    })
  })

  describe.runIf(process.getuid?.() === 0)('in the runtime folder of a user, which is open to them alone', () => {
    const inRuntimeFolder = async (mode: number) => {
      const { root, socket, process } = await host()
      await socket('/run/user/1000/docker.sock')
      await process(813, 'dockerd', { uid: 1000 })
      await chown(join(root, 'run/user/1000/docker.sock'), 1000, GROUP)
      await chmod(join(root, 'run/user/1000/docker.sock'), mode)
      await chmod(join(root, 'run/user/1000'), 0o700)
      return root
    }

    test('is asked when its group is one of ours: to pass the folder takes a capability only', async () => {
      expect(await findAsNobody(await inRuntimeFolder(0o660))).toEqual({
        present: [{ kind: 'docker', socket: '/run/user/1000/docker.sock', label: 'rootless-1000' }],
        absent: [],
      })
    })

    test.each(['0600', '0640'])('is refused with mode %s', async (mode) => {
      const socket = '/run/user/1000/docker.sock'
      const reason = `permission denied on ${socket}: it is open to its owner only (user 1000), mode ${mode}`
      expect(await findAsNobody(await inRuntimeFolder(Number.parseInt(mode, 8)))).toEqual({
        present: [],
        absent: [{ socket, reason }],
      })
    })

    test('is refused where its group is none of ours, which is named', async () => {
      const { absent } = await findAsNobody(await inRuntimeFolder(0o660), 4244)
      expect(absent[0]?.reason).toMatch(/: add the user to its group \(4243\), mode 0660$/)
    })
  })
})

describe('a socket that is named', () => {
  test('is used as named, whether or not its engine can be seen', async () => {
    const { socket, find } = await host()
    await socket('/run/docker.sock')
    await socket('/srv/own.sock')
    await socket('/srv/podman.sock')
    const found = await find({
      dockerHost: 'unix:///run/docker.sock',
      configured: ['/srv/own.sock', 'unix:///srv/podman.sock'],
    })
    expect(found).toEqual({
      present: [
        { kind: 'docker', socket: '/run/docker.sock', label: 'docker-host' },
        { kind: 'docker', socket: '/srv/own.sock', label: 'configured' },
        { kind: 'podman', socket: '/srv/podman.sock', label: 'configured-2' },
      ],
      absent: [],
    })
  })

  test('counts once, by whatever paths it is reached', async () => {
    const { root, socket, process, find } = await host()
    await socket('/run/docker.sock')
    await process(812, 'dockerd')
    await mkdir(join(root, 'var'))
    await symlink('../run', join(root, 'var/run'))
    const found = await find({ dockerHost: 'unix:///var/run/docker.sock', configured: ['/run/docker.sock'] })
    expect(found).toEqual({
      present: [{ kind: 'docker', socket: '/var/run/docker.sock', label: 'docker-host' }],
      absent: [],
    })
  })

  test('is reported when it does not exist', async () => {
    const { find } = await host()
    expect(await find({ dockerHost: 'unix:///nowhere.sock' })).toEqual({
      present: [],
      absent: [{ socket: '/nowhere.sock', reason: 'it does not exist' }],
    })
  })

  test('has to be a unix socket; the password in another address is not repeated', async () => {
    const { find } = await host()
    const { present, absent } = await find({
      dockerHost: 'tcp://admin:secret@10.0.0.5:2376',
      configured: ['relative.sock'],
    })
    expect(present).toEqual([])
    expect(absent).toEqual([
      { socket: 'tcp://10.0.0.5:2376', reason: 'engines are asked over unix sockets only (unix:///path)' },
      { socket: 'relative.sock', reason: 'engines are asked over unix sockets only (unix:///path)' },
    ])
  })
})

describeWithDocker('a real dockerd', (docker) => {
  test('is seen among the processes', async () => {
    expect(docker().pid).toBeGreaterThan(0)
    expect(await engineProcesses(sourceContext())).toContainEqual({ kind: 'docker', uid: 0 })
  })

  test('answers on the socket that is configured', async () => {
    const { present } = await findEngines(sourceContext(), { configured: [docker().socket] })
    expect(present).toContainEqual({ kind: 'docker', socket: docker().socket, label: 'configured' })
  })
})
