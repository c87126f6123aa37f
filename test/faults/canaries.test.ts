/** Secrets of every kind, planted in every source there is; then every byte of the finished archive is searched for them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import cloudInit from '../../collectors/cloud-init.ts'
import containers from '../../collectors/containers.ts'
import docker from '../../collectors/docker.ts'
import firewall from '../../collectors/firewall.ts'
import journal from '../../collectors/journal.ts'
import network from '../../collectors/network.ts'
import packages from '../../collectors/packages.ts'
import processes from '../../collectors/processes.ts'
import syslog from '../../collectors/syslog.ts'
import systemd from '../../collectors/systemd.ts'
import { hostFacts } from '../../src/collect/host.ts'
import { RULES } from '../../src/redact/rules.ts'
import { FIXED_PATH } from '../../src/sources/lookup.ts'
import { fakeCommands } from '../helpers/kit.ts'
import { collector, makeBundle, type TestBundle } from '../helpers/make-bundle.ts'
import { ownFolder } from '../helpers/source.ts'
import { random } from '../redact/mask-all.ts'

const ID = 'c'.repeat(64)

/** Where each secret was planted: a leak names the source and the kind. */
type Planted = Map<string, string>

test('no secret planted anywhere is in a bundle; without the mask they all are', { timeout: 120_000 }, async () => {
  const planted: Planted = new Map()
  const { root, deps, running } = await plantedHost(planted)
  const collectors = { cloudInit, containers, docker, firewall, journal, network, packages, syslog, systemd, ...own }
  const make = async (unmasked: boolean) => [
    await makeBundle(collectors, { deps: { ...deps, root }, request: { unmasked } }),
    // Of this machine: a process that really runs.
    await makeBundle({ processes }, { request: { unmasked } }),
  ]
  const masked = await make(false)
  const open = await make(true)
  expect(running.exitCode).toBeNull()
  expect(found(masked, planted)).toEqual([])
  expect(missed(open, planted)).toEqual([])
  expect(planted.size).toBeGreaterThan(10 * RULES.length)
  for (const bundle of masked) expect(bundle.manifest.complete).toBe(true)
})

const own = {
  custom: collector(function* (kit) {
    yield kit.command`broken`.as('broken.txt')
    yield kit.logs('/srv/app/*').as('app/')
    yield kit.files('/srv/conf/*').as('conf/')
  }),
}

/** `where: kind` of each secret that shows in an entry, in a name, or in the raw archive. */
function found(bundles: readonly TestBundle[], planted: Planted): string[] {
  const haystacks = bundles.flatMap(({ files, bytes }) => [
    ...[...files].map(([name, content]) => `${name}\n${content.toString('latin1')}`),
    gunzipSync(bytes).toString('latin1'),
  ])
  return [...planted].filter(([secret]) => haystacks.some((text) => holds(text, secret))).map(([, where]) => where)
}

function missed(bundles: readonly TestBundle[], planted: Planted): string[] {
  const there = new Set(found(bundles, planted))
  return [...new Set(planted.values())].filter((where) => !there.has(where))
}

/** As it is, or as JSON writes it. */
function holds(text: string, secret: string): boolean {
  return text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1))
}

/** The canaries of every kind, fresh for this place. */
function canaries(planted: Planted, where: string): string {
  const texts = RULES.map(({ id, canary }) => {
    const { text, secrets } = canary(random)
    for (const secret of secrets) planted.set(secret, `${where}: ${id}`)
    return text
  })
  return `${texts.join('\n\n\n')}\n`
}

/** A secret of letters and digits, where a place has no room for more. */
function single(planted: Planted, where: string): string {
  const secret = `k7${random(18)}`
  planted.set(secret, where)
  return secret
}

async function plantedHost(planted: Planted) {
  const root = await ownFolder()
  await chmod(root, 0o755)
  await plantFiles(root, planted)
  await plantNames(root, planted)
  const path = await plantCommands(root, planted)
  const socket = await plantEngine(root, planted)
  const running = plantProcess(planted)
  return { root, running, deps: { path, engines: [socket], host: { ...hostFacts('test-node'), systemd: true } } }
}

async function plantFiles(root: string, planted: Planted): Promise<void> {
  const cloud = '/var/lib/cloud/instances/i-0'
  const plain = [
    ...['user-data.txt', 'vendor-data.txt', 'scripts/part-001', 'scripts/vendor/setup'].map(
      (name) => `${cloud}/${name}`,
    ),
    '/var/lib/cloud/scripts/per-boot/up.sh',
    '/var/lib/cloud/seed/nocloud/user-data',
    '/run/cloud-init/status.json',
    '/etc/cloud/cloud.cfg.d/90_secret.cfg',
    '/etc/netplan/50-cloud-init.yaml',
    '/run/netplan/wpa-wlan0.conf',
    '/etc/systemd/network/wg0.netdev',
    '/etc/NetworkManager/system-connections/office.nmconnection',
    '/etc/apt/sources.list.d/private.list',
    '/etc/nftables.conf',
    '/etc/docker/daemon.json',
    '/etc/systemd/system/app.service',
    '/srv/conf/app.ini',
  ]
  const logs = ['/var/log/cloud-init-output.log', '/var/log/syslog', '/var/log/nginx/access.log', '/srv/app/app.log']
  for (const file of [...plain, ...logs]) await put(root, file, canaries(planted, file))
  for (const file of ['/var/log/syslog.2.gz', '/var/log/nginx/error.log.2.gz']) {
    await put(root, file, gzipSync(canaries(planted, file)))
  }
  await symlink('instances/i-0', join(root, '/var/lib/cloud/instance'))
  await put(root, '/run/cloud-init/instance-data.json', JSON.stringify({ api_token: single(planted, 'instance data') }))
  await put(root, '/etc/environment', `https_proxy=http://me:${single(planted, 'proxies')}@proxy.example:3128\n`)
  await put(root, '/sys/module/nf_tables/refcnt', '1\n')
}

/** In names of files: of a log, of a configuration, of a listing. */
async function plantNames(root: string, planted: Planted): Promise<void> {
  const token = () => `ghp_${random(36)}`
  for (const name of [
    '/srv/app/%.log',
    '/srv/conf/%.ini',
    '/var/lib/cloud/scripts/per-boot/%',
    '/srv/app/password=%.log',
  ]) {
    const secret = name.includes('=') ? random(16) : token()
    planted.set(secret, `file name ${name}`)
    await put(root, name.replace('%', secret), 'nothing\n')
  }
}

/** Commands that print what their real ones would. */
async function plantCommands(root: string, planted: Planted): Promise<string> {
  const say = async (name: string, text: string) => {
    await put(root, `/said/${name}`, text)
    return `cat ${root}/said/${name}`
  }
  const lines = canaries(planted, 'journalctl').split('\n')
  const printed = lines.map((line) => `2026-11-21T09:34:09.123456+00:00 vm app[12]: ${line}\n`).join('')
  const comment = `table inet f {\n  chain in {\n    tcp dport 22 accept comment "token=${single(planted, 'nft comment')}"\n  }\n}\n`
  const folder = await fakeCommands({
    journalctl: await say('journal', printed),
    nft: await say('nft', comment + canaries(planted, 'nft')),
    'cloud-init': await say('cloud-init', canaries(planted, 'cloud-init status')),
    systemctl: 'true',
    'systemd-delta': await say('systemd-delta', canaries(planted, 'systemd-delta')),
    dpkg: await say('dpkg', canaries(planted, 'dpkg')),
    broken: `${await say('broken', canaries(planted, 'stderr'))} >&2; exit 3`,
  })
  return `${folder}:${FIXED_PATH}`
}

/** An engine with one container, that has secrets in its environment, arguments, labels and log. */
async function plantEngine(root: string, planted: Planted): Promise<string> {
  const live = single(planted, 'value of a container, in a log without a name')
  const config = {
    Env: [`DB_PASSWORD=${single(planted, 'container env')}`, `SESSION_SECRET=${live}`, 'PATH=/bin'],
    Cmd: [
      'app',
      '--password',
      single(planted, 'container command'),
      `--api-token=${single(planted, 'container flag')}`,
    ],
    Labels: { note: canaries(planted, 'container label') },
  }
  const listed = [{ Id: ID, Names: ['/app'], State: 'running', Status: 'Up', Created: 1 }]
  const log = `${canaries(planted, 'container log')}connected with ${live}\n`
  const rows = [['1', `app --password ${single(planted, 'container top')}`]]
  const answers: Record<string, unknown> = {
    '/containers/json': listed,
    [`/containers/${ID}/json`]: { Id: ID, Name: '/app', State: { Status: 'running' }, Config: config },
    [`/containers/${ID}/top`]: { Titles: ['PID', 'CMD'], Processes: rows },
    '/info': { HttpProxy: `http://me:${single(planted, 'engine info')}@proxy.example:3128`, RegistryConfig: {} },
  }
  const server = createServer(({ url = '' }, response) => {
    const path = url.split('?')[0]!
    if (path.endsWith('/logs')) return void response.end(frames(log))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answers[path] ?? {}))
  })
  await mkdir(join(root, 'run'), { recursive: true })
  server.listen(join(root, 'run/engine.sock'))
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return '/run/engine.sock'
}

/** Lines as an engine sends them of a container without a terminal. */
function frames(text: string): Buffer {
  return Buffer.concat(
    text.split('\n').map((line) => {
      const payload = Buffer.from(`2026-11-21T09:34:09.123456789Z ${line}\n`)
      const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])
      head.writeUInt32BE(payload.length, 4)
      return Buffer.concat([head, payload])
    }),
  )
}

/** A real process with secrets among its arguments. */
function plantProcess(planted: Planted) {
  const wait = 'process.stdin.resume()'
  const secrets = [single(planted, 'argument'), single(planted, 'flag'), `ghp_${random(36)}`]
  planted.set(secrets[2]!, 'argument without a name')
  const argv = ['-e', wait, '--', '--password', secrets[0]!, `--db-secret=${secrets[1]}`, secrets[2]!]
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'ignore', 'ignore'] })
  onTestFinished(() => void child.kill())
  return child
}

async function put(root: string, path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), content)
}
