import type { Collector, Kit } from '../src/collector.ts'
import { withoutSecrets } from './lib/cloud-init-instance-data.ts'

/** Where cloud-init leaves something on every machine that it ever ran on. */
const traces = ['/run/cloud-init', '/var/lib/cloud/instance', '/etc/cloud/cloud.cfg']
/** User data and what was made from it; what is on the never-read list among them is named, and withheld. */
const userData = [
  '/run/cloud-init/{instance-data-sensitive,combined-cloud-config}.json',
  '/var/lib/cloud/instance/{user-data,vendor-data,vendor-data2,vendor-cloud-config}.txt*',
  '/var/lib/cloud/instance/{cloud-config,network-config}*',
  '/var/lib/cloud/instance/obj.pkl',
  '/var/lib/cloud/instance/scripts/*',
  '/var/lib/cloud/instance/scripts/vendor/*',
  '/var/lib/cloud/scripts/per-*/*',
  '/var/lib/cloud/seed/*/*',
]

export default {
  title: 'cloud-init: status, result, logs, configuration, instance data, user-data, scripts',
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
    yield* filesOf(kit, '/etc/cloud/', ['/etc/cloud/{cloud,ds-identify}.cfg', '/etc/cloud/cloud.cfg.d/*'])
    yield* filesOf(kit, /^\/(?:run\/cloud-init|var\/lib\/cloud(?:\/instance)?)\//, userData, within)
    yield kit.logs('/var/log/cloud-init.log*', '/var/log/cloud-init-output.log*').in('logs')
  },
} satisfies Collector

/** Linked into /run for this boot; without the link, what the last boot wrote. */
async function published(kit: Kit, name: string): Promise<string> {
  return (await kit.stat(`/run/cloud-init/${name}`)) ? `/run/cloud-init/${name}` : `/var/lib/cloud/data/${name}`
}

/** Each under its path below `folder`. */
async function* filesOf(kit: Kit, folder: string | RegExp, globs: readonly string[], within: readonly string[] = []) {
  for (const path of await kit.glob(...globs)) {
    if ((await kit.stat(path))?.kind !== 'directory') yield kit.file(path, { within }).as(path.replace(folder, ''))
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
