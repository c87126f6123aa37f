import type { Kit } from '../../src/collector.ts'

/** A host with hundreds of network interfaces has some sixty settings for each; past this the rest is counted. */
const mostSettings = 20_000
/** No setting is longer, but for tables nobody reads here. */
const settingBytes = 4096

/** Keys of the kernel's hashes and addresses. */
const secret = /secret|_key$/
/**
 * Not entered: reading stat_refresh makes the kernel fold its counters, and binfmt_misc is an automount point on
 * most hosts, which a look would mount.
 */
const untouched = new Set(['/proc/sys/vm/stat_refresh', '/proc/sys/fs/binfmt_misc'])

/** All of /proc/sys as `sysctl -a` shows it, one `name = value` a line, without the command. One folder at a time. */
export async function* sysctl(kit: Kit): AsyncGenerator<string> {
  let settings = 0
  for await (const files of settingFiles(kit)) {
    const room = Math.max(0, mostSettings - settings)
    settings += files.length
    const lines: string[] = []
    for (const path of files.slice(0, room)) lines.push(await line(kit, path))
    yield lines.join('')
  }
  if (settings > mostSettings) yield `# ${settings - mostSettings} more settings are left out\n`
}

/** The settings of one folder after the other. Some can be written only: they are switches, not settings. */
async function* settingFiles(kit: Kit): AsyncGenerator<string[]> {
  const folders = ['/proc/sys']
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const files: string[] = []
    for (const name of await kit.list(folder)) {
      const path = `${folder}/${name}`
      const facts = untouched.has(path) ? undefined : await kit.stat(path)
      if (facts?.kind === 'directory') folders.push(path)
      if (facts?.kind === 'file' && (facts.mode & 0o444) !== 0) files.push(path)
    }
    yield files
  }
}

async function line(kit: Kit, path: string): Promise<string> {
  const setting = path.slice('/proc/sys/'.length).replaceAll('.', ':').replaceAll('/', '.')
  if (secret.test(path)) return `# ${setting} is a key, and not read\n`
  const value = await kit.read(path, settingBytes)
  if (value === undefined) return `# ${setting} cannot be read by this user\n`
  return `${setting} = ${value.trim().replaceAll(/\s*\n\s*/g, ' | ')}\n`
}
