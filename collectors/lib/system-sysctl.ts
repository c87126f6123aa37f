import type { Kit } from '../../src/collector.ts'

/** What a glob gives at most. Only `net` can get there: some sixty settings for each network interface. */
const mostPaths = 10_000
/** Longer settings are tables that nobody reads here. */
const settingBytes = 4096
/** Read at once: each waits for the disk thread pool, not for a disk. */
const together = 4

/** Keys of the kernel's hashes and addresses. */
const secret = /secret|_key$/
/** Reading stat_refresh makes the kernel fold its counters; binfmt_misc is an automount point that a look could mount. */
const untouched = /^\/proc\/sys\/(vm\/stat_refresh$|fs\/binfmt_misc)/

/** Some sixty settings each, all alike: on a host of a hundred containers they would be most of the text and of the time. */
const ofContainers = /^\/proc\/sys\/net\/ipv[46]\/(?:conf|neigh)\/(?:veth|cali|lxc|vnet|tap)[^/]*\//

/** All of /proc/sys as `sysctl -a` shows it, one `name = value` a line, without the command. */
export async function* sysctl(kit: Kit): AsyncGenerator<string> {
  for (const area of await kit.list('/proc/sys')) {
    const paths = await kit.glob(`/proc/sys/${area}/**`)
    const folders = new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))))
    const found = paths.filter((path) => !folders.has(path) && !untouched.test(path))
    const settings = found.filter((path) => !ofContainers.test(path))
    for (let i = 0; i < settings.length; i += together) {
      const lines = await Promise.all(settings.slice(i, i + together).map((path) => line(kit, path)))
      yield lines.join('')
    }
    const left = found.length - settings.length
    if (left > 0)
      yield `# ${area}: ${left} settings of the interfaces of containers and virtual machines are left out\n`
    if (paths.length >= mostPaths) yield `# ${area}: only the first ${mostPaths} paths were looked at\n`
  }
}

/** '' for what is no setting: an empty folder, and a switch that can only be written. */
async function line(kit: Kit, path: string): Promise<string> {
  const setting = path.slice('/proc/sys/'.length).replaceAll('.', ':').replaceAll('/', '.')
  if (secret.test(path)) return `# ${setting} is a key, and not read\n`
  const value = await kit.read(path, settingBytes)
  if (value !== undefined) return `${setting} = ${value.trim().replaceAll(/\s*\n\s*/g, ' | ')}\n`
  const facts = await kit.stat(path)
  if (facts?.kind !== 'file' || (facts.mode & 0o444) === 0) return ''
  return `# ${setting} cannot be read by this user\n`
}
