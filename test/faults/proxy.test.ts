/** A gateway in between that takes silence for death: real nginx, a real bundle, a source that says nothing for long. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { collectBundle } from '../../src/collect/bundle.ts'
import { hostFacts } from '../../src/collect/host.ts'
import { FIXED_PATH } from '../../src/sources/lookup.ts'
import { extract } from '../helpers/archive.ts'
import { temporaryFolder } from '../helpers/commands.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'
import { collector, testDeps } from '../helpers/make-bundle.ts'

/** nginx gives up an upstream after this much silence; the source below is silent for three times as long. */
const PROXY_IDLE_SECONDS = 1
const SILENCE_SECONDS = 3
/** As 10 s stand to 15 s, and more. */
const IDLE_MS = 300

const hasNginx = spawnSync('nginx', ['-v'], { env: { PATH: FIXED_PATH } }).status === 0
if (!hasNginx && process.env.CI) throw new Error('this needs nginx (Debian package nginx-light)')
const title = hasNginx ? '' : 'SKIPPED: needs nginx (Debian package nginx-light): '

test.runIf(hasNginx)(`${title}a proxy with an idle limit never cuts a bundle that has nothing to say`, async () => {
  const silent = collector(function* ({ command }) {
    yield command`sleep ${SILENCE_SECONDS}`.as('silent.txt')
  })
  const engine = testDeps({ silent }, { host: { ...hostFacts('proxied') } })
  const doors = await openDoors(
    depsOf({
      config: { ...depsOf().config, auth: 'none' },
      collectorIds: ['silent'],
      collect: ({ request, bundleId, sink, signal }) =>
        collectBundle(request, engine, sink, { bundleId, signal, idleMs: IDLE_MS }),
    }),
  )
  onTestFinished(doors.close)
  const proxy = await nginx(doors.tcp)
  const { code, stdout, stderr } = await curl('-f', `${proxy}/debug-package?only=silent`)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect([...extract(stdout).keys()].some((name) => name.endsWith('/manifest.json'))).toBe(true)
})

/** An nginx of the test's own in front of `upstream`; its address. */
async function nginx(upstream: string): Promise<string> {
  const folder = temporaryFolder()
  const port = await freePort()
  mkdirSync(join(folder, 'tmp'))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/tmp/${name};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log stderr notice; events {}
     http { access_log off; ${temporary.join(' ')}
       server { listen 127.0.0.1:${port};
         location / { proxy_pass ${upstream}; proxy_http_version 1.1; proxy_read_timeout ${PROXY_IDLE_SECONDS}s; } } }`,
  )
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    env: { PATH: FIXED_PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(async () => {
    child.kill()
    if (child.exitCode === null) await once(child, 'exit')
  })
  for await (const line of child.stderr) if (String(line).includes('start worker process')) break
  return `http://127.0.0.1:${port}`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
