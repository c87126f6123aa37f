import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../helpers/archive.ts'
import { run, start } from '../helpers/cli.ts'
import { freePort } from '../helpers/control-plane.ts'
import { curl } from '../helpers/http.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const at = (name: string) => join(folder.path, name)
const token = (...args: string[]) => run(['token', ...args], { cwd: folder.path })
const HEADER = /^Authorization: Bearer (diagd_[A-Za-z0-9_-]{43})\n$/

describe('create', () => {
  test('writes the header line for its owner alone, keeps a digest, and shows the token nowhere', async () => {
    const { code, stdout, stderr } = await token('create', 'ops', '--scopes', 'read,bundle', '--expires', '90d')
    expect(code, stderr).toBe(0)
    const text = readFileSync(at('ops.header'), 'utf8')
    expect(text).toMatch(HEADER)
    expect(statSync(at('ops.header')).mode & 0o777).toBe(0o600)
    const secret = HEADER.exec(text)![1]!
    const record = readFileSync(at('tokens.d/ops.yaml'), 'utf8')
    for (const said of [stdout.toString(), stderr, record]) expect(said).not.toContain(secret.slice(6, 16))
    expect(stderr).toMatch(
      /^token "ops" for bundle, read, until 20\S+Z written to ops\.header: curl -fOJ -H @ops\.header http:\/\//,
    )
    expect(readdirSync(at('tokens.d'))).toEqual(['ops.yaml'])
  })

  test('into a named file, or to stdout', async () => {
    expect((await token('create', 'a', '-o', 'a.txt')).code).toBe(0)
    expect(readFileSync(at('a.txt'), 'utf8')).toMatch(HEADER)
    const piped = await token('create', 'b', '-o', '-')
    expect(piped.stdout.toString()).toMatch(HEADER)
    expect(piped.stderr).toBe('token "b" for bundle, read\n')
  })

  test('overwrites neither a token nor a file', async () => {
    await token('create', 'ops')
    const before = [readFileSync(at('ops.header')), readFileSync(at('tokens.d/ops.yaml'))]
    expect(await token('create', 'ops', '-o', 'other')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is a token "ops" already; diagd token revoke ops'),
    })
    expect(existsSync(at('other'))).toBe(false)
    expect(await token('create', 'new', '-o', 'ops.header')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ops.header is there already'),
    })
    expect(readdirSync(at('tokens.d'))).toEqual(['ops.yaml'])
    expect([readFileSync(at('ops.header')), readFileSync(at('tokens.d/ops.yaml'))]).toEqual(before)
  })

  test('with --if-missing a second time changes nothing and is no error', async () => {
    const first = await token('create', 'ops', '--if-missing')
    const before = readFileSync(at('tokens.d/ops.yaml'))
    const again = await token('create', 'ops', '--if-missing')
    expect([first.code, again.code]).toEqual([0, 0])
    expect(again.stderr).toBe('there is a token "ops" already; it stays as it is\n')
    expect(readFileSync(at('tokens.d/ops.yaml'))).toEqual(before)
  })

  test.each([
    [['create', '../ops'], 1, /"\.\.\/ops" is not a name of a token; accepted: 1 to 63 letters/],
    [['create', 'ops', '--scopes', 'all'], 2, /--scopes: "all" is not a scope; accepted: bundle, read, write-events/],
    [['create', 'ops', '--scopes', ''], 2, /--scopes: "" is not a scope/],
    [['create', 'ops', '--expires', '0d'], 2, /--expires: "0d" is not a time to live; accepted: 30m/],
    [['create', 'ops', '--expires', 'soon'], 2, /--expires: "soon"/],
    [['create'], 2, /missing required argument 'name'/],
    [['create', 'ops', '-o', 'no/such/folder'], 1, /ENOENT/],
    [['revoke', 'ops'], 1, /there is no token "ops" in .*tokens\.d; there are: none/],
    [['revoke', '../config'], 1, /there is no token "\.\.\/config"/],
    [[], 2, /Usage: diagd token/],
  ])('%j is refused', async (args, code, said) => {
    const ran = await token(...args)
    expect(ran).toMatchObject({ code, stderr: expect.stringMatching(said) })
    expect(readdirSync(folder.path).filter((name) => name !== 'tokens.d')).toEqual([])
  })

  test('into a folder that others may write leaves nothing behind', async () => {
    mkdirSync(at('tokens.d'))
    chmodSync(at('tokens.d'), 0o777)
    expect(await token('create', 'ops')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/tokens\.d is not used: others may write it/),
    })
    expect(readdirSync(at('tokens.d'))).toEqual([])
    expect(existsSync(at('ops.header'))).toBe(false)
  })
})

test('list shows what there is, and what is wrong', async () => {
  expect((await token('list')).stdout.toString()).toBe('NAME  SCOPES  CREATED  EXPIRES\n')
  await token('create', 'ops')
  await token('create', 'temporary', '--scopes', 'read', '--expires', '1m')
  writeFileSync(at('tokens.d/broken.yaml'), 'x', { mode: 0o600 })
  const { code, stdout, stderr } = await token('list')
  expect(code).toBe(0)
  const lines = stdout.toString().split('\n')
  expect(lines[1]).toMatch(/^ops {8}bundle,read {2}20\S+Z {2}never$/)
  expect(lines[2]).toMatch(/^temporary {2}read {9}20\S+Z {2}20\S+Z$/)
  expect(stderr).toContain('broken.yaml is not used')
  expect(await run(['check'], { cwd: folder.path })).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^diagd: tokens\.d: .*broken\.yaml is not used/),
  })
})

test('created and revoked while diagd runs: each counts at the next request', async () => {
  mkdirSync(at('collectors.d'))
  writeFileSync(
    at('collectors.d/hello.mjs'),
    `export default { title: 'Of the test', tier: 'facts', *collect(kit) { yield kit.text('hello.txt', () => 'hello') } }\n`,
  )
  const port = await freePort()
  const env = { DIAGD_LISTEN: `127.0.0.1:${port}`, DIAGD_SOCKET: at('run/diagd.sock') }
  const daemon = start(['serve'], { cwd: folder.path, env })
  const url = `http://127.0.0.1:${port}/debug-package?only=hello`
  const status = async (header: string) =>
    (await curl('-o', at('out'), '-w', '%{http_code}', '-H', `@${at(header)}`, url)).stdout.toString()
  await daemon.says(/a bundle of this machine/)

  await token('create', 'first')
  expect(await status('first.header')).toBe('200')
  await token('create', 'second')
  expect(await status('second.header')).toBe('200')
  await token('revoke', 'first')
  expect(await status('first.header')).toBe('401')
  expect(await status('second.header')).toBe('200')

  daemon.child.kill('SIGTERM')
  const { code, stderr } = await daemon.ended
  expect(code).toBe(0)
  const audit = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === 'audit')
  expect(audit.map(({ credential, outcome, code: why }) => [credential, outcome, why])).toEqual([
    ['first', 'whole', undefined],
    ['second', 'whole', undefined],
    [undefined, 'refused', 'invalid-credential'],
    ['second', 'whole', undefined],
  ])
  for (const name of ['first', 'second']) {
    expect(stderr).not.toContain(HEADER.exec(readFileSync(at(`${name}.header`), 'utf8'))![1]!.slice(6, 16))
  }
})
