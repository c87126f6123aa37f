import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { expect, onTestFinished, test } from 'vitest'
import type { BundleDeps } from '../../src/collect/deps.ts'
import { createSystemInfo } from '../../src/collect/system-info.ts'
import { startDaemon } from '../helpers/daemon.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'
import { fixture, tree } from '../helpers/kit.ts'
import { testDeps } from '../helpers/make-bundle.ts'

const text = await readFile(new URL('../../docs/schema/system-info.schema.json', import.meta.url), 'utf8')
const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true })
addFormats.default(ajv)
const validate = ajv.compile(JSON.parse(text) as object)

/** As much of it as the tests look at. */
interface Info {
  readonly resource: Readonly<Record<string, string>>
  readonly [part: string]: unknown
}

const AROUND = { arch: 'amd64', addresses: { eth0: ['192.0.2.7/24'] } }

async function infoOf(root: string, over: Partial<BundleDeps> = {}): Promise<Info> {
  const deps = testDeps({}, { root, ...over })
  return JSON.parse(
    (
      await createSystemInfo(
        () => deps,
        () => AROUND,
      )()
    ).toString(),
  ) as Info
}

test.each(['vm-cgroup-v1', 'vm-cgroup-v2', 'gvisor-pod'])('%s is as the schema says', async (name) => {
  validate(await infoOf(fixture('collectors-1', name)))
  expect(validate.errors).toBeNull()
})

test('a machine that tells nothing has an answer', async () => {
  const info = await infoOf(await tree({ '/etc/hostname': 'bare' }))
  validate(info)
  expect(validate.errors).toBeNull()
  expect(info).toMatchObject({
    virtualization: { kind: expect.any(String) },
    cpu: { 'system.cpu.logical.count': 0 },
    memory: { totalBytes: null },
    mounts: [],
    interfaces: [],
    cloud: { provider: null, source: null },
  })
  expect(Object.keys(info.resource)).toEqual(['host.name', 'host.arch', 'os.type'])
})

test('what the schema says is what it takes', async () => {
  const info = await infoOf(fixture('collectors-1', 'vm-cgroup-v2'))
  for (const wrong of [{ memory: { totalBytes: '1' } }, { schema: 'diagd.system-info/2' }, { resource: { name: 'x' } }])
    expect(validate({ ...info, ...wrong })).toBe(false)
})

const STANDARD_KEYS = {
  cloud_id: 'aws',
  cloud_name: 'aws',
  instance_id: 'i-0123456789abcdef0',
  region: 'eu-west-1',
  availability_zone: 'eu-west-1a',
}

test('in a cloud it is named as OpenTelemetry does', async () => {
  const { resource, cloud } = await infoOf(
    await tree({
      '/run/cloud-init/instance-data.json': JSON.stringify({ v1: STANDARD_KEYS }),
      '/etc/os-release': 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
      '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
      '/sys/class/dmi/id/product_name': 't3.micro\n',
    }),
  )
  expect(resource).toMatchObject({
    'host.id': 'i-0123456789abcdef0',
    'host.type': 't3.micro',
    'host.arch': 'amd64',
    'os.type': 'linux',
    'os.name': 'Debian GNU/Linux',
    'os.version': '12',
    'os.description': 'Debian GNU/Linux 12 (bookworm)',
    'cloud.provider': 'aws',
    'cloud.platform': 'aws_ec2',
    'cloud.region': 'eu-west-1',
    'cloud.availability_zone': 'eu-west-1a',
  })
  expect(cloud).toMatchObject({ source: 'cloud-init' })
})

test.each([
  [{ sys_vendor: 'Google', product_name: 'Google Compute Engine' }, 'gcp', 'gcp_compute_engine'],
  [{ sys_vendor: 'Hetzner' }, 'hetzner', undefined],
  [{ sys_vendor: 'Microsoft Corporation', chassis_asset_tag: '7783-7084-3265-9085-8269-3286-77' }, 'azure', 'azure.vm'],
  [{ sys_vendor: 'Microsoft Corporation' }, undefined, undefined],
  [{ sys_vendor: 'QEMU' }, undefined, undefined],
])('without cloud-init the firmware tells: %j', async (dmi, provider, platform) => {
  const files = Object.entries(dmi).map(([name, value]) => [`/sys/class/dmi/id/${name}`, `${value}\n`])
  const { resource } = await infoOf(await tree(Object.fromEntries(files) as Record<string, string>))
  expect([resource['cloud.provider'], resource['cloud.platform']]).toEqual([provider, platform])
})

test('instance data that is broken is as if it were not there', async () => {
  for (const broken of ['{"v1": ', 'null', '{"v1": {"cloud_id": 7}}']) {
    const info = await infoOf(await tree({ '/run/cloud-init/instance-data.json': broken }))
    expect(info).toMatchObject({ cloud: { source: null } })
  }
})

test('interfaces and mounts, with what they have', async () => {
  const net = { operstate: 'up\n', address: '52:54:00:00:00:01\n', mtu: '1500\n', speed: '-1\n' }
  const files = Object.entries(net).map(([name, value]) => [`/sys/class/net/eth0/${name}`, value])
  const mountinfo = '1 0 8:1 / / ro,relatime - ext4 /dev/vda1 rw\n2 1 0:9 / /proc rw - proc proc rw\n'
  const info = await infoOf(await tree({ ...(Object.fromEntries(files) as object), '/proc/1/mountinfo': mountinfo }))
  expect(info['interfaces']).toEqual([
    { name: 'eth0', state: 'up', mac: '52:54:00:00:00:01', mtu: 1500, speedMbit: null, addresses: ['192.0.2.7/24'] },
  ])
  expect(info['mounts']).toEqual([
    expect.objectContaining({ mountPoint: '/', source: '/dev/vda1', type: 'ext4', readOnly: true }),
  ])
})

test('secrets are masked', async () => {
  const info = await infoOf(await tree({ '/proc/cmdline': 'ro quiet db_password=hunter2sevenTimes\n' }))
  expect(JSON.stringify(info)).not.toContain('hunter2')
  expect(info).toMatchObject({ kernel: { commandLine: expect.stringMatching(/^ro quiet db_password=/) } })
})

test('who asks at the same time, or soon after, gets the same answer; a failure is not kept', async () => {
  let asked = 0
  const deps = testDeps({}, { root: await tree({}) })
  const ask = createSystemInfo(
    () => {
      asked += 1
      if (asked === 1) throw new Error('not yet')
      return deps
    },
    () => AROUND,
  )
  expect(() => ask()).toThrow('not yet')
  const [first, second] = await Promise.all([ask(), ask()])
  expect(second).toBe(first)
  expect(await ask()).toBe(first)
  expect(asked).toBe(2)
})

test('over HTTP: scope read, and only there where there is one', async () => {
  const config = { ...depsOf().config, auth: 'none' as const }
  const doors = await openDoors(depsOf({ config, systemInfo: async () => Buffer.from('{}\n') }))
  onTestFinished(() => doors.close())
  const { stdout } = await curl('-w', '%{http_code} %{content_type}', `${doors.tcp}/system-info`)
  expect(stdout.toString()).toBe('{}\n200 application/json; charset=utf-8')
  const without = await openDoors(depsOf({ config }))
  onTestFinished(() => without.close())
  expect((await curl('-w', '%{http_code}', '-o', '/dev/null', `${without.tcp}/system-info`)).stdout.toString()).toBe(
    '404',
  )
})

test('of this machine, by a daemon that runs', async () => {
  const daemon = await startDaemon()
  const { status, json } = await daemon.ask('GET', '/system-info')
  expect(status).toBe(200)
  const info = json() as Info
  validate(info)
  expect(validate.errors).toBeNull()
  expect(info).toMatchObject({ diagd: { 'process.pid': daemon.running.child.pid } })
  expect((info['mounts'] as unknown[]).length).toBeGreaterThan(0)
  await daemon.stop()
})
