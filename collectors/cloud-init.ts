import type { Collector, Kit } from '../src/collector.ts'
import { withoutSecrets } from './lib/cloud-init-instance-data.ts'

/** Where cloud-init leaves something on every machine that it ever ran on. */
const traces = ['/run/cloud-init', '/var/lib/cloud/instance', '/etc/cloud/cloud.cfg']
/** What holds user data, or was made from it: passwords, keys and tokens live there. */
const confidential = [
  '/run/cloud-init/{instance-data-sensitive,combined-cloud-config}.json',
  '/var/lib/cloud/instance/{user-data,vendor-data,vendor-data2}.txt*',
  '/var/lib/cloud/instance/{cloud-config,network-config}*',
  '/var/lib/cloud/instance/obj.pkl',
  '/var/lib/cloud/instance/scripts/*',
  '/var/lib/cloud/instance/scripts/vendor/*',
  '/var/lib/cloud/scripts/per-*/*',
  '/var/lib/cloud/seed/*/*',
]

export default {
  title: 'cloud-init: status, result, logs, configuration, instance data',
  tier: 'facts',
  async *collect(kit) {
    if ((await Promise.all(traces.map((path) => kit.stat(path)))).every((found) => !found)) {
      yield kit.skipped('status.json', `cloud-init has left no trace: none of ${traces.join(', ')} exists`)
      return
    }
    const within = ['/run/cloud-init', '/var/lib/cloud']
    for (const name of ['status.json', 'result.json']) yield kit.file(await published(kit, name), { within }).as(name)
    // Exit codes 1 and 2 are the answer: an error, and done with recoverable errors.
    yield kit.command`cloud-init status --long`
      .as('status.txt')
      .accept(1, 2)
      .needs({ command: 'cloud-init' })
      .in('state')
    yield kit.json('instance-data.json', () => instanceData(kit)).needs({ file: '/run/cloud-init/instance-data.json' })
    yield kit.json('files.json', () => listing(kit))
    yield kit.files('/run/cloud-init/{*.log,cloud.cfg,enabled,disabled,cloud-id}').as('run/')
    yield* configuration(kit)
    for (const path of await kit.glob(...confidential)) {
      yield kit.withheld(`withheld${path}`, `${path} may hold passwords and keys, and is not masked yet`)
    }
    yield kit.logs('/var/log/cloud-init.log*', '/var/log/cloud-init-output.log*').in('logs')
  },
} satisfies Collector

/** Linked into /run for this boot; without the link, what the last boot wrote. */
async function published(kit: Kit, name: string): Promise<string> {
  return (await kit.stat(`/run/cloud-init/${name}`)) ? `/run/cloud-init/${name}` : `/var/lib/cloud/data/${name}`
}

async function* configuration(kit: Kit) {
  for (const path of await kit.glob('/etc/cloud/cloud.cfg', '/etc/cloud/cloud.cfg.d/*', '/etc/cloud/ds-identify.cfg')) {
    const facts = await kit.stat(path)
    const name = path.replace('/etc/cloud/', '')
    // Datasource credentials (MAAS, for one) come in files that only root reads.
    if (facts?.kind === 'file' && (facts.mode & 0o004) === 0) {
      yield kit.withheld(
        name,
        `${path} is readable for its owner only, so it may hold credentials, and is not masked yet`,
      )
    } else yield kit.file(path).as(name)
  }
}

async function instanceData(kit: Kit): Promise<unknown> {
  const text = await kit.read('/run/cloud-init/instance-data.json')
  if (text === undefined) throw new Error('/run/cloud-init/instance-data.json cannot be read')
  return withoutSecrets(JSON.parse(text))
}

/** Names, sizes and times: which instance, which modules ran when (`sem/`), which seeds and scripts exist. At most 2 000. */
async function listing(kit: Kit) {
  const paths = await kit.glob(
    '/var/lib/cloud/*',
    '/var/lib/cloud/{data,instances,sem,seed}/*',
    '/var/lib/cloud/seed/*/*',
    '/var/lib/cloud/instance/*',
    '/var/lib/cloud/instance/{sem,scripts,handlers}/*',
    '/var/lib/cloud/scripts/*/*',
    '/run/cloud-init/*',
  )
  return Promise.all(
    paths.slice(0, 2000).map(async (path) => {
      const [stat, target] = [await kit.stat(path), await kit.readlink(path)]
      return { path, target, sizeBytes: stat?.sizeBytes, modified: stat && new Date(stat.mtimeMs).toISOString() }
    }),
  )
}
