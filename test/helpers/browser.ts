/** A real browser behind a real reverse proxy: Chromium without a window, and nginx with the configuration of the example. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { FIXED_PATH } from '../../src/sources/lookup.ts'
import { temporaryFolder } from './commands.ts'
import { freePort } from './control-plane.ts'

const CHROMIUM = '/usr/bin/chromium'
const NGINX = '/usr/sbin/nginx'
const CONFIGURATION = fileURLToPath(new URL('../../examples/control-plane/nginx.conf', import.meta.url))

/** Names that a browser does not take for this machine: without TLS, what is served there is no secure context. */
export const FAR = 'plane.test'

/** `describe` with a browser that starts before its tests; where it or nginx is missing they are skipped, in CI they fail. */
export function describeWithBrowser(name: string, tests: (browser: () => Browser) => void): void {
  if (!possible() && !process.env['CI']) {
    console.warn(`SKIPPED: ${name} needs ${CHROMIUM} and ${NGINX} (Debian packages chromium, nginx-light)`)
    describe.skip(name, () => tests(() => undefined as never))
    return
  }
  describe(name, () => {
    let browser: Browser | undefined
    beforeAll(async () => {
      const args = [`--host-resolver-rules=MAP ${FAR} 127.0.0.1`]
      browser = await chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: process.getuid!() !== 0, args })
    })
    afterAll(() => browser?.close())
    tests(() => browser!)
  })
}

function possible(): boolean {
  try {
    accessSync(CHROMIUM, constants.X_OK)
    accessSync(NGINX, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A page of a visitor of its own; what the page itself does wrong fails the test. */
export async function openPage(browser: Browser, address: string): Promise<{ page: Page; mistakes: string[] }> {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const mistakes: string[] = []
  page.on('pageerror', (error) => void mistakes.push(error.message))
  // A refusal of the browser's own, as that of the content security policy. Failed requests are what some tests are about.
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      mistakes.push(message.text())
  })
  await page.goto(address)
  return { page, mistakes }
}

/** The example's nginx in front of `upstream`; its port. */
export async function openProxy(upstream: string): Promise<number> {
  const folder = temporaryFolder()
  const port = await freePort()
  mkdirSync(join(folder, 'tmp'))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/tmp/${name};`,
  )
  const shipped = readFileSync(CONFIGURATION, 'utf8')
    .replace('listen 8443;', `listen 127.0.0.1:${port};`)
    .replaceAll('http://127.0.0.1:8080', upstream)
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log stderr notice; events {}
     http { access_log off; ${temporary.join(' ')}
     ${shipped} }`,
  )
  const child = spawn(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    env: { PATH: FIXED_PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill()
    await exited
  })
  const lines = createInterface(child.stderr)
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => line.includes('start worker process') && resolve())
    lines.on('close', () => reject(new Error('nginx did not start')))
  })
  return port
}
