import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run, start } from '../helpers/cli.ts'
import { curl } from '../helpers/http.ts'
import { createAuthority, replace } from '../helpers/tls.ts'

interface Health {
  status: string
  problems: { key: string; message: string }[]
  warnings: string[]
}

/** A real `diagd serve` with this configuration; ended after the test. */
async function serve(folder: string, lines: string[]) {
  const socket = join(folder, 'run/diagd.sock')
  writeFileSync(join(folder, 'config.yaml'), [`socket: ${socket}`, ...lines, ''].join('\n'))
  const { child, ended, says } = start(['serve'], { cwd: folder })
  onTestFinished(async () => {
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  })
  await says(/diagd listens/)
  const health = async () => {
    const { stdout } = await curl('-f', '--unix-socket', socket, 'http://localhost/health')
    return JSON.parse(stdout.toString()) as Health
  }
  return { socket, health, says }
}

test('serve speaks TLS on an address that others reach, and warns of a certificate that ends soon', async () => {
  const authority = createAuthority()
  const { certificate, key } = authority.sign('server', { days: 3 })
  const { health, says } = await serve(authority.folder, [
    'listen: 0.0.0.0:0',
    `tls: {certificate: ${certificate}, key: ${key}}`,
  ])
  const [, port] = await says(/"tcp":"0\.0\.0\.0:(\d+)"/)
  await says(/tls: \S+server\.pem expires at/)
  expect(await health()).toMatchObject({
    status: 'ok',
    problems: [],
    warnings: [expect.stringMatching(/expires at .* in [23] days/)],
  })
  const { code } = await curl('-f', '--cacert', authority.certificate, `https://localhost:${port}/health`)
  expect(code).toBe(0)
})

test('without TLS it does not listen there, says which key would help, and serves the unix socket', async () => {
  const { folder } = createAuthority()
  const { health } = await serve(folder, ['listen: 0.0.0.0:7433', 'auth: none'])
  expect(await health()).toMatchObject({
    status: 'degraded',
    problems: [
      { key: 'tls', message: expect.stringMatching(/TCP stays closed: 0\.0\.0\.0:7433 .*terminated-upstream/) },
    ],
  })
})

test('check refuses what serve would only complain about', async () => {
  const authority = createAuthority()
  const pair = authority.sign('server')
  const check = async (...lines: string[]) => {
    writeFileSync(join(authority.folder, 'config.yaml'), [...lines, ''].join('\n'))
    return run(['check'], { cwd: authority.folder })
  }
  const tls = `tls: {certificate: ${pair.certificate}, key: ${pair.key}}`
  expect((await check('listen: 0.0.0.0:7433', tls)).code).toBe(0)
  expect(await check('listen: 0.0.0.0:7433')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no TLS'),
  })
  replace(pair, { certificate: authority.certificate, key: pair.key })
  expect(await check(tls)).toMatchObject({ code: 2, stderr: expect.stringContaining('server.key is not the key of') })
})
