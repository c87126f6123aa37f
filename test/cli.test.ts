import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { extract, temporaryFolder } from './helpers/archive.ts'
import { run, start } from './helpers/cli.ts'
import { handmade, TOP } from './helpers/bundle.ts'
import { curl } from './helpers/http.ts'

let folder: ReturnType<typeof temporaryFolder>

beforeEach(() => {
  folder = temporaryFolder()
})

afterEach(() => folder.remove())

const diagd = (args: readonly string[], env: Record<string, string> = {}) => run(args, { cwd: folder.path, env })
const at = (name: string) => join(folder.path, name)

/** A drop-in whose collector does what the test wants. */
function dropIn(id: string, body: string): void {
  mkdirSync(at('collectors.d'), { recursive: true })
  writeFileSync(
    at(`collectors.d/${id}.mjs`),
    `export default { title: 'Of the test', tier: 'facts', *collect(kit) { ${body} } }\n`,
  )
}

describe('usage', () => {
  test('no command, or an unknown one, is bad usage', async () => {
    expect(await diagd([])).toMatchObject({ code: 2, stderr: expect.stringContaining('Usage: diagd') })
    expect(await diagd(['colect'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown command 'colect'"),
    })
    expect(await diagd(['collect', '--fast'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown option '--fast'"),
    })
    expect(await diagd(['verify'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("missing required argument 'file'"),
    })
  })

  test('help and version are answers, on stdout', async () => {
    const help = await diagd(['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout.toString()).toContain('collect')
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect((await diagd(['--version'])).stdout.toString()).toBe(`${version}\n`)
  })

  test('every command and option of --help is in docs/cli.md', async () => {
    const docs = readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8')
    const [all, collect] = await Promise.all([diagd(['--help']), diagd(['collect', '--help'])])
    const commands = [...all.stdout.toString().matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1]!)
    const options = [...collect.stdout.toString().matchAll(/--[a-z]+/g)]
      .map((match) => match[0])
      .filter((name) => name !== '--help')
    expect(commands).toEqual(expect.arrayContaining(['serve', 'collect', 'list', 'verify', 'check', 'token']))
    expect(options.length).toBeGreaterThan(8)
    for (const name of [...commands.map((command) => `## diagd ${command}`), ...options]) expect(docs).toContain(name)
  })

  test('a bad parameter is named as the option it is', async () => {
    expect(await diagd(['collect', '--format', 'zip'])).toMatchObject({
      code: 2,
      stderr: 'diagd: --format: "zip" is not a format; accepted: tar.gz, tar.zst, tar\n',
    })
    expect((await diagd(['collect', '--only', 'nonsense'])).stderr).toMatch(
      /^diagd: --only: "nonsense" is not a collector; accepted: .*kernel/,
    )
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('an older Node is told what to run instead', () => {
    // The same file under a Node that says it is another.
    const script = `Object.defineProperty(process.versions, 'node', { value: '22.18.0' }); await import(process.argv[1])`
    const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, cli], {
      encoding: 'utf8',
    })
    expect(status).toBe(2)
    expect(stderr).toBe(
      'diagd needs Node 24 or newer, this is 22.18.0. In a checkout, run it with the Node it brings along: npm run -s diagd -- …\n',
    )
  })
})

describe('collect', () => {
  test('puts a whole bundle, for its owner alone, into the folder it is called in', async () => {
    dropIn('hello', `yield kit.text('hello.txt', () => 'hello\\n')`)
    const { code, stdout, stderr } = await diagd(['collect', '--only', 'hello'], { DIAGD_NODE: 'web-1' })
    expect(code, stderr).toBe(0)
    expect(stdout.length).toBe(0)
    const name = readdirSync(folder.path).find((each) => each.startsWith('debug-'))
    expect(name).toMatch(/^debug-web-1-\d{8}T\d{6}Z-[0-9a-f]{6}\.tar\.gz$/)
    expect(stderr).toMatch(/^Whole bundle: 1 entry ok, .*\n.*\n$/)
    expect(stderr).toContain(`${name}\n`)
    expect(statSync(at(name!)).mode & 0o777).toBe(0o600)
    expect(
      extract(readFileSync(at(name!)))
        .get(`${name!.replace('.tar.gz', '')}/hello/hello.txt`)!
        .toString(),
    ).toBe('hello\n')
    expect(readdirSync(folder.path).filter((each) => each.endsWith('.part'))).toEqual([])
  })

  test('names what is not ok, and exits with 3', async () => {
    dropIn(
      'mixed',
      `yield kit.text('bad\\u001b[2J.txt', () => { throw new Error('it is \\u001b[31mred') }); yield kit.skipped('a', 'not here'); yield kit.skipped('b', 'not here')`,
    )
    const { code, stderr } = await diagd(['collect', '--only', 'mixed', '-o', 'b.tar', '--format', 'tar'])
    expect(code, stderr).toBe(3)
    expect(stderr).toMatch(/^skipped {3}mixed: a, b \(not here\)\nfailed {4}mixed\/bad\S*\.txt: .*red/)
    expect(stderr).toContain('Partial bundle: 0 entries ok, 1 failed, 2 skipped, ')
    expect(stderr).not.toContain('\u001b')
  })

  test('what is skipped does not count against the whole', async () => {
    dropIn('none', `yield kit.skipped('a', 'not here')`)
    expect((await diagd(['collect', '--only', 'none', '-o', '-'])).code).toBe(0)
  })

  test('writes into a pipe with "-o -", the bundle and nothing else', async () => {
    dropIn('hello', `yield kit.text('large', () => 'x'.repeat(5_000_000))`)
    const { code, stdout } = await diagd(['collect', '--only', 'hello', '-o', '-', '--format', 'tar'])
    expect(code).toBe(0)
    expect(stdout.length).toBeGreaterThan(5_000_000)
    const verified = await run(['verify', '-'], { cwd: folder.path, stdin: stdout })
    expect(verified).toMatchObject({ code: 0, stderr: '' })
    expect(verified.stdout.toString()).toMatch(/^whole: debug-.*: tar, 4\.8 MiB/)
  })

  test('refuses to write into a terminal', () => {
    const command = `${process.execPath} ${fileURLToPath(new URL('../src/cli.ts', import.meta.url))} collect -o -`
    const { stdout, status } = spawnSync('script', ['-qec', command, '/dev/null'], {
      cwd: folder.path,
      encoding: 'utf8',
    })
    expect(stdout).toContain('--output: "-" is a terminal here')
    expect(status).toBe(2)
  })

  test('a reader that goes away is a failure without a word', async () => {
    dropIn('endless', `yield kit.text('large', async function* () { for (;;) yield 'x'.repeat(100_000) })`)
    const { child, ended } = start(['collect', '--only', 'endless', '-o', '-', '--format', 'tar', '--limits', 'none'], {
      cwd: folder.path,
    })
    await once(child.stdout!, 'data')
    child.stdout!.destroy()
    expect(await ended).toMatchObject({ code: 1, stderr: '' })
  })

  test('puts the file into a folder, follows a link, writes into a FIFO', async () => {
    dropIn('hello', `yield kit.text('a', () => 'a')`)
    const collect = (file: string) => diagd(['collect', '--only', 'hello', '-o', file])
    mkdirSync(at('folder'))
    expect((await collect('folder')).code).toBe(0)
    expect(readdirSync(at('folder'))).toEqual([expect.stringMatching(/^debug-.*\.tar\.gz$/)])

    writeFileSync(at('folder/target'), 'old')
    symlinkSync('folder/target', at('link'))
    expect((await collect('link')).code).toBe(0)
    expect(readFileSync(at('folder/target')).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))

    spawnSync('mkfifo', [at('fifo')])
    const reader = spawn('cat', [at('fifo')], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [{ code }, bytes] = await Promise.all([
      collect('fifo'),
      Array.fromAsync(reader.stdout as AsyncIterable<Buffer>),
    ])
    expect(code).toBe(0)
    expect(Buffer.concat(bytes).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
    expect(statSync(at('fifo')).isFIFO()).toBe(true)
  })

  // Never with a device of the machine: the day this breaks, the machine would lose it.
  test('replaces nothing but a file, whatever came there while it collected', async () => {
    dropIn('late', `yield kit.command\`mkfifo ${at('b.tar.gz')}\``)
    const { code, stderr } = await diagd(['collect', '--only', 'late', '-o', 'b.tar.gz'])
    expect(code).toBe(1)
    expect(stderr).toContain('b.tar.gz is no regular file, and is not replaced; accepted: a file')
    expect(statSync(at('b.tar.gz')).isFIFO()).toBe(true)
    expect(readdirSync(folder.path)).not.toContain('.b.tar.gz.part')
  })

  test('does not write where another one writes', async () => {
    writeFileSync(at('.b.tar.gz.part'), 'of another')
    const { code, stderr } = await diagd(['collect', '--only', 'diagd', '-o', 'b.tar.gz'])
    expect(code).toBe(1)
    expect(stderr).toContain('.b.tar.gz.part is there: another collect writes it, or a killed one left it behind')
    expect(readFileSync(at('.b.tar.gz.part'), 'utf8')).toBe('of another')
  })

  test('a place that does not exist is a failure that names it', async () => {
    const { code, stderr } = await diagd(['collect', '--only', 'diagd', '-o', 'no/such/folder.tar.gz'])
    expect(code).toBe(1)
    expect(stderr).toBe('diagd: no/such/folder.tar.gz cannot be written: there is no folder no/such\n')
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s leaves no half file and no child process, and exits with %i', async (signal, exitCode) => {
    const pidFile = at('pid')
    const script = `echo $$ > ${pidFile}; sleep 1000 & wait`
    dropIn('hangs', `yield kit.command\`sh -c \${${JSON.stringify(script)}}\``)
    const { child, ended } = start(['collect', '--only', 'hangs', '-o', 'b.tar.gz'], { cwd: folder.path })
    const pid = await contentOf(pidFile)
    expect(readdirSync(folder.path)).toContain('.b.tar.gz.part')
    child.kill(signal)
    expect(await ended).toMatchObject({ code: exitCode, stderr: 'diagd: stopped; nothing is left of the bundle\n' })
    expect(readdirSync(folder.path).filter((name) => name.includes('b.tar.gz'))).toEqual([])
    expect(groupExists(Number(pid))).toBe(false)
  })

  test('a problem with the configuration is said, and collecting goes on', async () => {
    writeFileSync(at('config.yaml'), 'bundlesAtOnce: many\n')
    dropIn('hello', `yield kit.text('a', () => 'a')`)
    const { code, stderr } = await diagd(['collect', '--only', 'hello', '-o', 'b.tar.gz'])
    expect(code).toBe(0)
    expect(stderr).toMatch(/^diagd: bundlesAtOnce: "many" is not a whole number; accepted: /)
  })
})

/** Polls, as a file tells nobody that it was written; the test's own limit of time is the limit. */
async function contentOf(path: string): Promise<string> {
  for (;;) {
    if (existsSync(path) && readFileSync(path, 'utf8') !== '') return readFileSync(path, 'utf8')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Whether anything of that process group is left that is not merely unburied. */
function groupExists(pgid: number): boolean {
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pgid=,stat='], { encoding: 'utf8' })
  return stdout.split('\n').some((line) => Number(line.trim().split(/\s+/)[0]) === pgid && !/\sZ/.test(line))
}

describe('list', () => {
  test('shows each collector, why it cannot run, and what it would read, and reads nothing', async () => {
    dropIn('hello', `yield kit.file('/etc/hostname'); yield kit.command\`touch touched\``)
    const { code, stdout } = await diagd(['list'])
    const text = stdout.toString()
    expect(code).toBe(0)
    expect(text).toMatch(/^ID +TIER +AVAILABLE +TITLE\n/)
    expect(text).toMatch(/^hello +facts +yes +Of the test\n {4}\/etc\/hostname\n {4}touch touched\n/m)
    expect(text).toMatch(/^docker-usage +bulk +by --only docker-usage/m)
    expect(existsSync(at('touched'))).toBe(false)
  })

  test('a reader that goes away early is no stack trace', async () => {
    const { child, ended } = start(['list'], { cwd: folder.path })
    child.stdout!.destroy()
    expect((await ended).stderr).toBe('')
  })
})

describe('verify', () => {
  test('0 for a whole bundle, 1 for a cut one, with what arrived', async () => {
    const bytes = await handmade()
    writeFileSync(at('whole.tar.gz'), bytes)
    writeFileSync(at('cut.tar.gz'), bytes.subarray(0, -5))
    const whole = await diagd(['verify', 'whole.tar.gz'])
    expect(whole).toMatchObject({ code: 0, stderr: '' })
    expect(whole.stdout.toString()).toMatch(new RegExp(`^whole: ${TOP}: tar\\.gz, .*, 6 whole files\n$`))
    const cut = await diagd(['verify', 'cut.tar.gz'])
    expect(cut.code).toBe(1)
    expect(cut.stdout.toString()).toMatch(
      /^not whole: .*the last file that arrived whole is manifest\.json\ncut: the gzip stream stops before its end\n$/,
    )
  })

  test('names in a bundle cannot play with the terminal', async () => {
    writeFileSync(
      at('evil.tar.gz'),
      await handmade((bundle) => void bundle.files.splice(2, 0, { path: 'x\u001b]0;owned\u0007', content: '' })),
    )
    const { stdout } = await diagd(['verify', 'evil.tar.gz'])
    expect(stdout.toString()).toContain(String.raw`x\x1b]0;owned\x07 is not listed`)
  })

  test('a file that is not there is a failure that names it', async () => {
    expect(await diagd(['verify', 'nothing.tar.gz'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("'nothing.tar.gz'"),
    })
    expect(await diagd(['verify', '.'])).toMatchObject({ code: 1, stderr: expect.stringContaining('EISDIR') })
  })
})

describe('check', () => {
  test('0 when all is well', async () => {
    const { code, stdout } = await diagd(['check'])
    expect(code).toBe(0)
    expect(stdout.toString()).toMatch(new RegExp(`^${folder.path} is fine: \\d+ collectors\n$`))
  })

  test('a folder that is not there is not called fine', async () => {
    const { code, stdout } = await diagd(['check'], { DIAGD_CONFIG_DIR: at('nowhere') })
    expect([code, stdout.toString()]).toEqual([
      0,
      expect.stringMatching(/nowhere is not there, so the defaults hold: /),
    ])
  })

  test('2 when a key or a drop-in is bad, which it names', async () => {
    writeFileSync(at('config.yaml'), 'lisen: none\n')
    mkdirSync(at('collectors.d'))
    writeFileSync(at('collectors.d/broken.mjs'), 'throw new Error("at import")\n')
    const { code, stderr } = await diagd(['check'])
    expect(code).toBe(2)
    expect(stderr).toContain('diagd: lisen: is not a key of config.yaml')
    expect(stderr).toMatch(/broken\.mjs.*at import/)
  })
})

describe('serve', () => {
  const serve = (env: Record<string, string> = {}) => {
    const listen = { DIAGD_LISTEN: '127.0.0.1:0', DIAGD_SOCKET: at('run/diagd.sock') }
    return start(['serve'], { cwd: folder.path, env: { ...listen, ...env } })
  }
  const local = (path: string) => ['--unix-socket', at('run/diagd.sock'), `http://localhost${path}`]

  test('prints the line that downloads a bundle, and the line works', async () => {
    dropIn('hello', `yield kit.text('hello.txt', () => 'hello\\n')`)
    const { child, ended, says } = serve()
    const [, line] = (await says(/(curl -fOJ --unix-socket \S+ http:\/\/localhost\/debug-package)/)) as unknown as [
      string,
      string,
    ]
    const [command, ...args] = line.split(' ')
    const { status } = spawnSync(command!, ['-s', ...args.slice(0, -1), `${args.at(-1)}?only=hello`], {
      cwd: folder.path,
    })
    expect(status).toBe(0)
    const name = readdirSync(folder.path).find((each) => each.endsWith('.tar.gz'))
    expect((await diagd(['verify', name!])).code).toBe(0)
    child.kill('SIGTERM')
    const { code, stdout, stderr } = await ended
    expect(code).toBe(0)
    expect(stdout.length).toBe(0)
    for (const logged of stderr.trim().split('\n')) expect(JSON.parse(logged)).toHaveProperty('msg')
    expect(existsSync(at('run/diagd.sock'))).toBe(false)
  })

  test('starts degraded with a bad configuration, and says so', async () => {
    writeFileSync(at('config.yaml'), 'auth: nobody\nwhat: ever\n')
    const { child, ended, says } = serve()
    await says(/debug-package/)
    const health = JSON.parse((await curl('-f', ...local('/health'))).stdout.toString()) as Record<string, unknown>
    expect(health).toMatchObject({ status: 'degraded', problems: [{ key: 'auth' }, { key: 'what' }] })
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect(code).toBe(0)
    expect(stderr).toContain('"tcp":"closed"')
  })

  test('without TCP when the address is taken, and says so', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const { child, ended, says } = serve({ DIAGD_LISTEN: `127.0.0.1:${port}` })
    await says(/debug-package/)
    const health = JSON.parse((await curl('-f', ...local('/health'))).stdout.toString()) as Record<string, unknown>
    expect(health).toMatchObject({
      status: 'degraded',
      problems: [{ key: 'listen', message: expect.stringContaining('EADDRINUSE') }],
    })
    child.kill('SIGTERM')
    await ended
    other.close()
  })

  test('warns loudly when everybody may ask', async () => {
    const { child, ended, says } = serve({ DIAGD_AUTH: 'none' })
    await says(/debug-package/)
    const health = JSON.parse((await curl('-f', ...local('/health'))).stdout.toString()) as Record<string, unknown>
    expect(health).toMatchObject({ status: 'ok', warnings: [expect.stringContaining('auth is none: everybody')] })
    child.kill('SIGTERM')
    expect((await ended).stderr).toMatch(/"level":"warn".*auth is none: everybody/)
  })

  test('a second one on the same socket does not start, and names the first', async () => {
    const { child, ended, says } = serve()
    await says(/debug-package/)
    const second = await serve().ended
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(`another diagd (process ${child.pid}) listens on`)
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  })

  test('told to stop during a bundle: the download fails, no child is left, the exit is clean', async () => {
    const pidFile = at('pid')
    const script = `echo $$ > ${pidFile}; sleep 1000 & wait`
    dropIn('hangs', `yield kit.command\`sh -c \${${JSON.stringify(script)}}\``)
    const { child, ended, says } = serve()
    await says(/debug-package/)
    const download = curl('-f', ...local('/debug-package?only=hangs'))
    const pid = await contentOf(pidFile)
    child.kill('SIGTERM')
    expect((await download).code).not.toBe(0)
    expect((await ended).code).toBe(0)
    expect(groupExists(Number(pid))).toBe(false)
    expect(existsSync(at('run/diagd.sock'))).toBe(false)
  })
})
