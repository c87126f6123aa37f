import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedPackages, type Lock } from '../../docs/licenses.ts'
import { temporaryFolder } from '../helpers/archive.ts'

const TOP = fileURLToPath(new URL('../..', import.meta.url))
const VERSION = '3.2.1'
const DEB = `diagd_${VERSION}_amd64.deb`
const NAME = `diagd-${VERSION}-linux-x64`

const folder = temporaryFolder('diagd-package-')
/** A copy of the sources: they may change under the hands of whoever runs this. */
const sources = join(folder.path, 'sources')
const first = join(folder.path, 'first')
const second = join(folder.path, 'second')
/** The tarball for x64, unpacked. */
const here = join(folder.path, NAME)

beforeAll(() => {
  copySources(TOP, sources)
  build(first, sources, ['--arch', 'x64', '--arch', 'arm64'])
  unpack(`${NAME}.tar.gz`)
  unpack(`diagd-${VERSION}-linux-arm64.tar.gz`)
}, 300_000)

afterAll(folder.remove)

function copySources(from: string, to: string): void {
  const left = new Set(['.git', 'node_modules', 'dist', 'tmp'].map((name) => join(from, name)))
  cpSync(from, to, { recursive: true, filter: (path) => !left.has(path) })
  symlinkSync(join(TOP, 'node_modules'), join(to, 'node_modules'))
}

/** At a fixed time: a copy has no commits. */
function build(output: string, from: string, args: string[], env: Record<string, string> = {}, umask = '022'): void {
  const command = `umask ${umask} && exec "$0" "$@"`
  const all = [join(from, 'packaging/package.ts'), '--fast', '--version', VERSION, '--output', output, ...args]
  execFileSync('sh', ['-c', command, process.execPath, ...all], {
    env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000', ...env },
    stdio: 'pipe',
  })
}

function unpack(tarball: string): void {
  execFileSync('tar', ['-xzf', join(first, tarball), '-C', folder.path])
}

describe('what npm run package makes', () => {
  test('is the same in every run, whatever the time zone, the umask and the folder', () => {
    const elsewhere = join(folder.path, 'else/where')
    copySources(sources, elsewhere)
    build(second, elsewhere, ['--arch', 'x64'], { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' }, '077')
    const sumsOf = (output: string) => readFileSync(join(output, 'SHA256SUMS'), 'utf8').trim().split('\n')
    const sums = sumsOf(first)
    const archives = sumsOf(second).filter((line) => !line.endsWith('.json'))
    expect(archives).toHaveLength(2)
    expect(sums).toEqual(expect.arrayContaining(archives))
  })

  test('has checksums that sha256sum takes, of every file', () => {
    const said = execFileSync('sha256sum', ['-c', '--strict', 'SHA256SUMS'], { cwd: first, encoding: 'utf8' })
    const names = readdirSync(first).filter((name) => name !== 'SHA256SUMS')
    expect(said.trim().split('\n').toSorted()).toEqual(names.map((name) => `${name}: OK`).toSorted())
    expect(names).toHaveLength(5)
  })

  test('has nothing of this place in it', () => {
    const files = filesOf(here).filter((path) => path !== 'usr/lib/diagd/node')
    const places = (path: string) =>
      [TOP, folder.path].filter((place) => readFileSync(join(here, path), 'utf8').includes(place))
    expect(files.filter((path) => places(path).length > 0)).toEqual([])
  })

  test('refuses what it does not know', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(TOP, 'packaging/package.ts'), ...args], { encoding: 'utf8' }).stderr
    expect(run('--arch', 'mips')).toContain('--arch: there is no "mips"; accepted: x64, arm64')
    expect(run('--version', 'new')).toContain('--version: "new" is no version; accepted: 1.2.3')
  })

  test('lists in its bill of materials what is shipped, and the Node with its checksum', () => {
    const bom = JSON.parse(readFileSync(join(first, `diagd-${VERSION}.cdx.json`), 'utf8')) as Bom
    const lock = JSON.parse(readFileSync(join(TOP, 'package-lock.json'), 'utf8')) as Lock
    const shipped = shippedPackages(lock).map(({ name, version }) => `${name}@${version}`)
    expect(bom.components.map(({ name, version }) => `${name}@${version}`)).toEqual(expect.arrayContaining(shipped))
    const nodes = bom.components.filter(({ name }) => name === 'node')
    const sum = createHash('sha256')
      .update(readFileSync(join(here, 'usr/lib/diagd/node')))
      .digest('hex')
    expect(nodes.map(({ hashes }) => hashes[0]!.content)).toContain(sum)
    expect(nodes).toHaveLength(2)
    expect(bom.metadata.component).toMatchObject({ name: 'diagd', version: VERSION })
  })

  test('has the licence of everything in it', () => {
    const copyright = readFileSync(join(here, 'usr/share/doc/diagd/copyright'), 'utf8')
    expect(copyright).toMatch(/^diagd: Apache-2.0$/m)
    expect(copyright).toMatch(/^Node\.js \d+\.\d+\.\d+ .*: MIT$/m)
    expect(copyright).toMatch(/^better-sqlite3 .*: MIT$/m)
    expect(copyright).toMatch(/^fastify \d+\.\d+\.\d+: MIT$/m)
    expect(copyright).toMatch(/^@noble\/ciphers .*: MIT$/m)
    expect(copyright).not.toContain('undefined')
  })
})

interface Bom {
  readonly metadata: { readonly component: unknown }
  readonly components: readonly { name: string; version: string; hashes: readonly { content: string }[] }[]
}

describe('programs', () => {
  const newestGlibc = (program: Buffer) =>
    Math.max(...[...program.toString('latin1').matchAll(/GLIBC_2\.(\d+)\b/g)].map(([, minor]) => Number(minor)))

  test.each([
    ['x64', 62],
    ['arm64', 183],
  ])('in that for %s are for it; Node asks for glibc 2.28, SQLite for 2.34', (arch, machine) => {
    const top = join(folder.path, `diagd-${VERSION}-linux-${arch}`)
    const contents = filesOf(top).map((path) => ({ path, content: readFileSync(join(top, path)) }))
    const programs = contents.filter(({ content }) => content.subarray(0, 4).equals(ELF))
    expect(programs.map(({ path, content }) => [path, content.readUInt16LE(18), newestGlibc(content)])).toEqual([
      ['usr/lib/diagd/node', machine, 28],
      [`usr/lib/diagd/node_modules/better-sqlite3/prebuilds/linux-${arch}.node`, machine, 34],
    ])
  })

  test('have SQLite beside them', () => {
    const script =
      "process.stdout.write(new (require('better-sqlite3'))(':memory:').prepare('select 6 * 7').pluck().get() + '')"
    const cwd = join(here, 'usr/lib/diagd')
    const options = { cwd, env: {}, encoding: 'utf8' } as const
    expect(execFileSync(join(cwd, 'node'), ['--input-type=commonjs', '-e', script], options)).toBe('42')
  })
})

test('the daemon loads what makes bundles, pages of logs and timelines when it is asked for them', () => {
  const all = codeOf(readdirSync(join(here, APP)).filter((name) => name.endsWith('.js')))
  const atStart = codeOf(importedBy('serve.js'))
  const later = ['function runTiers(', 'function createLogMasks(', 'function bootTimelineText(']
  expect(later.filter((name) => !all.includes(name))).toEqual([])
  expect(later.filter((name) => atStart.includes(name))).toEqual([])
  expect(atStart.includes('function createRecorders(')).toBe(true)
})

const APP = 'usr/lib/diagd'

function codeOf(files: readonly string[]): string {
  return files.map((name) => readFileSync(join(here, APP, name), 'latin1')).join('')
}

/** With everything that is imported before it runs. */
function importedBy(name: string, seen = new Set<string>()): string[] {
  if (!seen.has(name)) {
    seen.add(name)
    for (const [, next] of codeOf([name]).matchAll(/\b(?:import|from)"\.\/([\w.-]+\.js)"/g)) importedBy(next!, seen)
  }
  return [...seen]
}

const ELF = Buffer.from('\x7fELF', 'latin1')

const hasDpkg = spawnSync('dpkg-deb', ['--version']).status === 0
if (!hasDpkg && process.env.CI) throw new Error('this needs dpkg-deb (Debian package dpkg)')

describe.runIf(hasDpkg)(`${hasDpkg ? '' : 'SKIPPED: needs dpkg-deb: '}the Debian package`, () => {
  test('holds what the tarball holds, all of it of root, nothing that others may write', () => {
    const listed = execFileSync('dpkg-deb', ['-c', join(first, DEB)], { encoding: 'utf8' })
      .trim()
      .split('\n')
    const rows = listed.map((line) => /^(\S+) (\S+) +\d+ \S+ \S+ \.\/(.*)$/.exec(line)!.slice(1))
    expect(rows.filter(([, owner]) => owner !== 'root/root')).toEqual([])
    expect(rows.filter(([mode]) => !/^d?(?:rwxr-xr-x|-rw-r--r--|-rwxr-xr-x|-rw-r-----)$/.test(mode!))).toEqual([])
    const files = rows.filter(([mode]) => mode!.startsWith('-')).map(([, , path]) => path)
    expect(new Set(files)).toEqual(new Set(filesOf(here).filter((path) => path.includes('/'))))
    expect(rows).toContainEqual(['-rwxr-xr-x', 'root/root', 'usr/bin/diagd'])
    expect(rows).toContainEqual(['-rwxr-xr-x', 'root/root', 'usr/lib/diagd/node'])
    expect(rows).toContainEqual(['-rw-r-----', 'root/root', 'etc/diagd/config.yaml'])
    for (const unit of ['diagd.service', 'diagd-upload-shutdown.service'])
      expect(rows).toContainEqual(['-rw-r--r--', 'root/root', `usr/lib/systemd/system/${unit}`])
  })

  test('says what it is, and what it needs', () => {
    const field = (name: string) =>
      execFileSync('dpkg-deb', ['-f', join(first, DEB), name], { encoding: 'utf8' }).trim()
    expect([field('Package'), field('Version'), field('Architecture')]).toEqual(['diagd', VERSION, 'amd64'])
    expect(field('Depends')).toBe('libc6 (>= 2.34), libgcc-s1, libstdc++6 (>= 5)')
    const control = join(folder.path, 'control')
    execFileSync('dpkg-deb', ['-e', join(first, DEB), control])
    expect(readFileSync(join(control, 'conffiles'), 'utf8')).toBe('/etc/diagd/config.yaml\n')
    for (const name of ['postinst', 'prerm', 'postrm']) {
      expect(statSync(join(control, name)).mode & 0o777).toBe(0o755)
      execFileSync('sh', ['-n', join(control, name)])
    }
  })

  test('unpacks to what its own checksums say', () => {
    const root = join(folder.path, 'root')
    execFileSync('dpkg-deb', ['-x', join(first, DEB), root])
    execFileSync('dpkg-deb', ['-e', join(first, DEB), join(root, 'DEBIAN')])
    const said = execFileSync('md5sum', ['-c', '--strict', 'DEBIAN/md5sums'], { cwd: root, encoding: 'utf8' })
    expect(said).toContain('usr/lib/diagd/node: OK')
  })
})

describe('the installed tree, without Node, npm or an environment', () => {
  const config = join(folder.path, 'config')
  const state = join(folder.path, 'state')
  const env = { DIAGD_CONFIG_DIR: config, STATE_DIRECTORY: state, PATH: '/nonexistent' }

  beforeAll(() => {
    mkdirSync(join(config, 'collectors.d'), { recursive: true, mode: 0o755 })
    mkdirSync(state, { mode: 0o700 })
    // The wrapper with another prefix, as install.sh writes it.
    const wrapper = readFileSync(join(here, 'usr/bin/diagd'), 'utf8')
    writeFileSync(join(here, 'diagd'), wrapper.replaceAll('/usr/lib/diagd', join(here, 'usr/lib/diagd')))
    chmodSync(join(here, 'diagd'), 0o755)
  })

  const start = (...args: string[]) => spawn(join(here, 'diagd'), args, { env, cwd: folder.path })
  const run = async (args: string[], stdin?: Buffer) => {
    const child = start(...args)
    child.stdin.on('error', () => {}).end(stdin)
    const output = Promise.all([buffer(child.stdout), text(child.stderr)])
    const [code] = (await once(child, 'close')) as [number]
    const [stdout, stderr] = await output
    return { code, stdout, stderr }
  }

  test('tells its version', async () => {
    const { stdout, stderr, code } = await run(['--version'])
    expect({ code, stdout: stdout.toString(), stderr }).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' })
  })

  test('has every collector of the sources', async () => {
    const sources = readdirSync(join(TOP, 'collectors')).filter((name) => name.endsWith('.ts'))
    const { stdout } = await run(['list'])
    const listed = stdout
      .toString()
      .split('\n')
      .map((line) => /^[a-z][a-z-]*(?= {2,})/.exec(line)?.[0])
    expect(listed).toEqual(expect.arrayContaining(sources.map((name) => name.slice(0, -'.ts'.length))))
  })

  test('runs a drop-in in TypeScript; its bundle is whole, and masked', async () => {
    const dropIn = [
      'type Line = `${string}\\n`',
      "const line: Line = 'password=' + 'correct-Horse-7' + '\\n' as Line",
      "export default { title: 'Typed', tier: 'facts', async *collect({ text }: { text: Function }) {",
      "  yield text('typed.txt', () => line)",
      '} }',
    ]
    writeFileSync(join(config, 'collectors.d/typed.ts'), dropIn.join('\n'), { mode: 0o644 })
    const bundle = await run(['collect', '-o', '-', '--only', 'typed,kernel'])
    expect(bundle.code).toBe(0)
    const verified = await run(['verify', '-'], bundle.stdout)
    expect(verified.stdout.toString()).toMatch(/^whole: /)
    const file = execFileSync('tar', ['-xzO', '--wildcards', '*/typed/typed.txt'], { input: bundle.stdout })
    expect(file.toString()).toMatch(/^password=<masked:password:[\da-f]{6}>\n$/)
  })

  test('encrypts: the thread that does it is there', async () => {
    const identity = await generateX25519Identity()
    const keys = join(folder.path, 'keys')
    writeFileSync(keys, `${identity}\n`, { mode: 0o600 })
    const recipient = await identityToRecipient(identity)
    const bundle = await run(['collect', '-o', '-', '--only', 'kernel', '--recipient', recipient])
    const verified = await run(['verify', '-', '--identity', keys], bundle.stdout)
    expect(verified.stdout.toString()).toMatch(/^whole: /)
  })

  test('serves on a unix socket, hands over a bundle, and ends with SIGTERM', async () => {
    const socket = join(folder.path, 'diagd.sock')
    const child = spawn(join(here, 'diagd'), ['serve'], { env: { ...env, DIAGD_SOCKET: socket, DIAGD_LISTEN: 'none' } })
    await says(child, 'diagd listens')
    const bundle = await get(socket, '/debug-package?only=kernel')
    expect((await run(['verify', '-'], bundle)).stdout.toString()).toMatch(/^whole: /)
    const health = JSON.parse((await get(socket, '/health')).toString()) as unknown
    expect(health).toMatchObject({ status: 'ok', version: VERSION, pid: child.pid })
    // Memory that is free goes back to the system.
    expect(readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0')).toContain('MALLOC_MMAP_THRESHOLD_=32768')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})

describe('install.sh', () => {
  const run = (...args: string[]) => spawnSync('sh', [join(here, 'install.sh'), ...args], { encoding: 'utf8' })

  test.each([
    [
      ['--prefix', 'here'],
      'diagd: --prefix here is not accepted; an absolute path of letters, digits and . _ - / is\n',
    ],
    [
      ['--prefix', '/a b'],
      'diagd: --prefix /a b is not accepted; an absolute path of letters, digits and . _ - / is\n',
    ],
    [['--purge'], 'diagd: --purge goes with --uninstall\n'],
    [['--force'], 'diagd: there is no option --force; see install.sh --help\n'],
  ])('refuses %j before it touches anything', (args, stderr) => {
    expect(run(...args)).toMatchObject({ status: 1, stderr, stdout: '' })
  })

  test('tells how it is used', () => {
    expect(run('--help').stdout).toContain('install.sh [--prefix /usr/local]')
  })
})

/** Paths of all files below, sorted. */
function filesOf(top: string): string[] {
  const found = readdirSync(top, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  return found.map(({ parentPath, name }) => join(parentPath, name).slice(top.length + 1)).toSorted()
}

async function says(child: ChildProcess, wanted: string): Promise<void> {
  let said = ''
  for await (const chunk of child.stderr!.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += chunk as string
    if (said.includes(wanted)) break
  }
  if (!said.includes(wanted)) throw new Error(`it ended without saying "${wanted}": ${said}`)
  child.stderr!.resume()
}

async function get(socketPath: string, path: string): Promise<Buffer> {
  const asked = request({ socketPath, path })
  asked.end()
  const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream]
  return buffer(response)
}
