/** The machine in the words of OpenTelemetry (resource semantic conventions 1.4x: host, os, cloud). No I/O but the kit's. */
import type { Kit } from '../../src/collector.ts'
import { processors } from './system-hardware.ts'
import { osRelease } from './system-host.ts'

export type Resource = Readonly<Record<string, string | readonly string[]>>

/** What cloud-init and the firmware say of where the machine runs. */
export interface Cloud {
  readonly instanceId: string | null
  /** As OpenTelemetry names it, else as cloud-init does. */
  readonly provider: string | null
  readonly platform: string | null
  readonly region: string | null
  readonly zone: string | null
  /** What says so. */
  readonly source: 'cloud-init' | 'firmware' | null
}

/** Names of cloud-init (cloud_id) → cloud.provider and cloud.platform. */
const known: Readonly<Record<string, readonly [provider: string, platform: string]>> = {
  aws: ['aws', 'aws_ec2'],
  ec2: ['aws', 'aws_ec2'],
  azure: ['azure', 'azure.vm'],
  gce: ['gcp', 'gcp_compute_engine'],
  aliyun: ['alibaba_cloud', 'alibaba_cloud_ecs'],
  oracle: ['oracle_cloud', 'oracle_cloud_compute'],
  ibm: ['ibm_cloud', 'ibm_cloud'],
  tencent: ['tencent_cloud', 'tencent_cloud_cvm'],
}
/** sys_vendor of the firmware, for machines without cloud-init. */
const vendors: Readonly<Record<string, string>> = {
  'Amazon EC2': 'aws',
  Google: 'gce',
  'Alibaba Cloud': 'aliyun',
  'Tencent Cloud': 'tencent',
  DigitalOcean: 'digitalocean',
  Hetzner: 'hetzner',
  'OpenStack Foundation': 'openstack',
  Scaleway: 'scaleway',
  Vultr: 'vultr',
}

/** A name that is not there, or not known, has no key. */
export async function resource(kit: Kit, arch: string, cloud: Cloud): Promise<Resource> {
  const release = await osRelease(kit)
  const cpu = await processors(kit)
  const machineId = (await kit.read('/etc/machine-id'))?.trim()
  const dmi = async (name: string) => (await kit.read(`/sys/class/dmi/id/${name}`))?.trim()
  const all: Record<string, string | null | undefined> = {
    'host.id': cloud.instanceId ?? machineId,
    'host.name': kit.host.hostname,
    'host.arch': arch,
    'host.type': cloud.provider === null ? undefined : await dmi('product_name'),
    'host.cpu.vendor.id': cpu['host.cpu.vendor.id'],
    'host.cpu.family': cpu['host.cpu.family'],
    'host.cpu.model.id': cpu['host.cpu.model.id'],
    'host.cpu.model.name': cpu['host.cpu.model.name'],
    'host.cpu.stepping': cpu['host.cpu.stepping'],
    'os.type': 'linux',
    'os.name': release('NAME'),
    'os.version': release('VERSION_ID'),
    'os.description': release('PRETTY_NAME'),
    'os.build_id': release('BUILD_ID'),
    'cloud.provider': cloud.provider,
    'cloud.platform': cloud.platform,
    'cloud.region': cloud.region,
    'cloud.availability_zone': cloud.zone,
  }
  return Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => Boolean(pair[1])))
}

export async function cloudOf(kit: Kit): Promise<Cloud> {
  const text = await kit.read('/run/cloud-init/instance-data.json')
  return text === undefined ? ofFirmware(kit) : (ofCloudInit(text) ?? ofFirmware(kit))
}

/** Its standard keys are the same on every cloud: `{"v1": {"cloud_id": "aws", "region": "eu-west-1", …}}`. */
function ofCloudInit(text: string): Cloud | undefined {
  const data = standardKeys(text)
  const at = (name: string) => {
    const value = data?.[name]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const name = at('cloud_id') ?? at('cloud_name')
  if (name === null) return undefined
  const place = { instanceId: at('instance_id'), region: at('region'), zone: at('availability_zone') }
  return { ...place, ...named(name), source: 'cloud-init' }
}

function standardKeys(text: string): Record<string, unknown> | undefined {
  try {
    return (JSON.parse(text) as { v1?: Record<string, unknown> } | null)?.v1
  } catch {
    return undefined
  }
}

async function ofFirmware(kit: Kit): Promise<Cloud> {
  const nowhere = { instanceId: null, region: null, zone: null }
  const vendor = (await kit.read('/sys/class/dmi/id/sys_vendor'))?.trim() ?? ''
  // Microsoft's hypervisor is at home outside of Azure, too; this tag is Azure's own.
  const azure = (await kit.read('/sys/class/dmi/id/chassis_asset_tag'))?.trim() === '7783-7084-3265-9085-8269-3286-77'
  const name = azure ? 'azure' : vendors[vendor]
  if (name === undefined) return { ...nowhere, provider: null, platform: null, source: null }
  return { ...nowhere, ...named(name), source: 'firmware' }
}

function named(name: string): Pick<Cloud, 'provider' | 'platform'> {
  const [provider, platform] = known[name.split('-')[0]!] ?? [name, null]
  return { provider, platform }
}
