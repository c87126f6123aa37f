/** Encrypted bundles as people get them: from the command, and from the daemon by curl. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ageOpens, describeWithAge, keyPair } from '../helpers/age.ts'
import type { KeyPair } from '../helpers/age.ts'
import { extract, temporaryFolder } from '../helpers/archive.ts'
import { run, start } from '../helpers/cli.ts'
import { curl } from '../helpers/http.ts'

let folder: ReturnType<typeof temporaryFolder>
let key: KeyPair
let other: KeyPair

beforeEach(() => {
  folder = temporaryFolder()
  key = keyPair(folder.path)
  other = keyPair(folder.path)
  mkdirSync(at('collectors.d'))
  writeFileSync(
    at('collectors.d/hello.mjs'),
    `export default { title: 'Of the test', tier: 'facts', *collect({ text }) { yield text('hello.txt', () => 'hello\\n') } }\n`,
  )
})

afterEach(() => folder.remove())

const at = (name: string) => join(folder.path, name)
const diagd = (args: readonly string[], env: Record<string, string> = {}, stdin?: Buffer) =>
  run(args, { cwd: folder.path, env, ...(stdin ? { stdin } : {}) })
const collect = (args: readonly string[], env?: Record<string, string>) =>
  diagd(['collect', '--only', 'hello', ...args], env)

/** Whether what hello says is in it. */
function saysHello(encrypted: Buffer, pair: KeyPair): boolean {
  const { whole, plain } = ageOpens(encrypted, pair)
  return whole && [...extract(plain)].some(([path, text]) => path.endsWith('/hello.txt') && String(text) === 'hello\n')
}

describeWithAge('collect', () => {
  test('--recipient, several: a file of their own kind of name, for its owner alone, that each opens', async () => {
    const { code, stderr } = await collect(['--recipient', key.recipient, '--recipient', other.recipient])
    expect(code, stderr).toBe(0)
    const name = readdirSync(folder.path).find((each) => /^debug-.*\.tar\.gz\.age$/.test(each))!
    expect(stderr).toContain(`${name}\n`)
    expect(statSync(at(name)).mode & 0o777).toBe(0o600)
    for (const pair of [key, other]) expect(saysHello(readFileSync(at(name)), pair)).toBe(true)
  })

  test('--recipients-file, with comments and empty lines, into a pipe', async () => {
    writeFileSync(at('team.txt'), `# the team\n\n${key.recipient}\r\n${other.recipient}\n`)
    const { code, stdout, stderr } = await collect(['--recipients-file', 'team.txt', '-o', '-'])
    expect(code, stderr).toBe(0)
    for (const pair of [key, other]) expect(saysHello(stdout, pair)).toBe(true)
  })

  test('recipients of the configuration are always there, unless the caller says none', async () => {
    writeFileSync(at('config.yaml'), `recipients: [${key.recipient}]\n`)
    const both = await collect(['--recipient', other.recipient, '-o', '-'])
    for (const pair of [key, other]) expect(saysHello(both.stdout, pair)).toBe(true)
    const plain = await collect(['-o', '-'], { DIAGD_RECIPIENTS: 'none' })
    expect([...extract(plain.stdout).keys()].some((path) => path.endsWith('/hello/hello.txt'))).toBe(true)
  })

  test.each([
    [['--recipient', 'bob'], 'diagd: --recipient: "bob" is not a recipient; accepted: public keys of age'],
    [['--recipients-file', 'nothing'], 'diagd: --recipients-file: cannot be read: ENOENT'],
    [['--recipients-file', 'bad'], 'diagd: --recipients-file: line 2 of bad: "bob" is not a recipient; accepted: '],
    [['--recipients-file', 'empty'], 'diagd: --recipients-file: empty names nobody; accepted: '],
  ])('%j is bad usage, and leaves nothing', async (args, message) => {
    writeFileSync(at('bad'), '# one\nbob\n')
    writeFileSync(at('empty'), '# nobody\n')
    expect(await collect(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
    expect(readdirSync(folder.path).filter((name) => name.includes('debug-'))).toEqual([])
  })

  test('a configuration whose recipients cannot be understood makes no bundle, plain or not', async () => {
    writeFileSync(at('config.yaml'), 'recipients: [bob]\n')
    const { code, stderr, stdout } = await collect(['--recipient', key.recipient, '-o', '-'])
    expect(code).toBe(1)
    expect(stderr).toContain('diagd: no bundle: the configuration speaks of recipients that cannot be understood')
    expect(stdout.length).toBe(0)
  })
})

describeWithAge('verify', () => {
  test('with the key: whole, or cut; without: how to open it', async () => {
    await collect(['--recipient', key.recipient, '-o', 'b.age'])
    const bytes = readFileSync(at('b.age'))
    const whole = await diagd(['verify', '--identity', key.file, 'b.age'])
    expect(whole).toMatchObject({ code: 0, stderr: '' })
    expect(whole.stdout.toString()).toMatch(/^whole: debug-.*: tar\.gz \(encrypted\), /)
    const cut = await diagd(['verify', '--identity', key.file, '-'], {}, bytes.subarray(0, -1))
    expect(cut.code).toBe(1)
    expect(cut.stdout.toString()).toContain('cut: the encrypted stream stops before its end')
    expect(await diagd(['verify', 'b.age'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('age -d -i KEYFILE FILE | diagd verify -'),
    })
    expect((await diagd(['verify', '-'], {}, ageOpens(bytes, key).plain)).code).toBe(0)
  })

  test('a file that holds no key, or the wrong one, is named, and what is in it never shown', async () => {
    await collect(['--recipient', key.recipient, '-o', 'b.age'])
    writeFileSync(at('password.txt'), 'AGE-SECRET-hunter2\n')
    const refused = await diagd(['verify', '--identity', 'password.txt', 'b.age'])
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--identity: password.txt holds') })
    expect(refused.stderr).not.toContain('hunter2')
    const stranger = await diagd(['verify', '--identity', other.file, 'b.age'])
    expect(stranger).toMatchObject({ code: 1, stderr: 'diagd: no key given opens it\n' })
  })
})

describeWithAge('GET /debug-package', () => {
  async function serve(config: string) {
    writeFileSync(at('config.yaml'), config)
    const env = { DIAGD_LISTEN: 'none', DIAGD_SOCKET: at('run/diagd.sock') }
    const { child, ended, says } = start(['serve'], { cwd: folder.path, env })
    await says(/debug-package/)
    const stop = async () => {
      child.kill('SIGTERM')
      return (await ended).stderr
    }
    const get = (query: string, ...args: string[]) =>
      curl('--unix-socket', at('run/diagd.sock'), ...args, `http://localhost/debug-package?only=hello&${query}`)
    return { get, stop }
  }

  test('every bundle of the daemon is for those of the configuration; a request adds some', async () => {
    const { get, stop } = await serve(`recipients: ${key.recipient}\n`)
    const { code, stderr } = await get('', '-fOJ', '--output-dir', folder.path)
    expect(code, stderr).toBe(0)
    const name = readdirSync(folder.path).find((each) => /^debug-.*\.tar\.gz\.age$/.test(each))!
    expect(saysHello(readFileSync(at(name)), key)).toBe(true)
    const added = await get(`recipient=${other.recipient}`, '-f')
    for (const pair of [key, other]) expect(saysHello(added.stdout, pair)).toBe(true)
    const head = (await get('format=tar.zst', '-fI')).stdout.toString().toLowerCase()
    expect(head).toContain('content-type: application/octet-stream')
    expect(head).toMatch(/filename="debug-[^"]*\.tar\.zst\.age"/)
    expect(head).toContain('x-diagd-bundle-id: debug-')
    await stop()
  })

  test('a recipient that is none is a bad parameter; a secret key in its place is nowhere told', async () => {
    const { get, stop } = await serve('')
    const bad = (await get('recipient=bob', '-i')).stdout.toString()
    expect(bad).toMatch(/^HTTP\/1\.1 400 /)
    expect(bad).toContain('"parameter":"recipient"')
    const secret = (await get(`recipient=${key.identity}`, '-i')).stdout.toString()
    expect(secret).toMatch(/^HTTP\/1\.1 400 /)
    expect(secret + (await stop())).not.toContain(key.identity.slice(20))
  })

  test('a configuration whose recipients cannot be understood: no bundle, and /health says why', async () => {
    const { get, stop } = await serve('recipients: [bob]\n')
    const answer = (await get('', '-i')).stdout.toString()
    expect(answer).toMatch(/^HTTP\/1\.1 500 /)
    expect(answer).toContain('the configuration speaks of recipients that cannot be understood')
    const health = await curl('--unix-socket', at('run/diagd.sock'), 'http://localhost/health')
    expect(JSON.parse(health.stdout.toString())).toMatchObject({ problems: [{ key: 'recipients' }] })
    await stop()
  })
})
