/** The dependency audit of CI against registries of the test's own. */
import { execFile } from 'node:child_process'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../helpers/commands.ts'

const AUDIT = fileURLToPath(new URL('../../.ci/audit', import.meta.url))

/** The advisories that a registry knows of fastify. */
const knows = (...severities: string[]): RequestListener => {
  const advisory = (severity: string, id: number) => {
    return { id, severity, title: `Hole ${id}`, url: `https://example.org/${id}`, vulnerable_versions: '*', cwe: [] }
  }
  return ({ url }, response) => {
    if (url === '/-/npm/v1/security/advisories/bulk')
      response.end(JSON.stringify(severities.length > 0 ? { fastify: severities.map(advisory) } : {}))
    else response.writeHead(404).end('{}')
  }
}

async function audit(registry: RequestListener): Promise<{ code: number; stdout: string }> {
  const server = createServer(registry).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  return run(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

async function run(registry: string): Promise<{ code: number; stdout: string }> {
  const env = { ...process.env, npm_config_registry: registry, npm_config_cache: temporaryFolder() }
  return promisify(execFile)(AUDIT, { env }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
  )
}

test('nothing known, or little: it passes', async () => {
  const passed = { code: 0, stdout: 'dependency audit: nothing of severity high or above\n' }
  expect(await audit(knows())).toEqual(passed)
  expect(await audit(knows('moderate'))).toEqual(passed)
})

test.each(['high', 'critical'])('a hole of severity %s fails, and is named', async (severity) => {
  const { code, stdout } = await audit(knows('low', severity))
  expect(code).toBe(1)
  expect(stdout).toContain('fastify')
  expect(stdout).toContain('https://example.org/1')
})

test('a registry that answers no audits is said, and passes', async () => {
  const passed = { code: 0, stdout: 'dependency audit: left out, the registry does not answer it here\n' }
  expect(await audit((_, response) => response.writeHead(405).end())).toEqual(passed)
  expect(await audit((_, response) => response.end('<html>please log in</html>'))).toEqual(passed)
})
