import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { terminalView } from '../../src/cli/highlight.ts'
import { hitsTable } from '../../src/cli/redact.ts'
import { temporaryFolder } from '../helpers/archive.ts'
import { run, start } from '../helpers/cli.ts'

const SECRET = 'correcthorse7battery'
const MASK = /<masked:password:[0-9a-f]{6}>/

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const COMMAND = `${process.execPath} ${CLI} redact`

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const at = (name: string) => join(folder.path, name)
const surroundings = (stdin?: Buffer) => ({
  cwd: folder.path,
  env: { STATE_DIRECTORY: at('state') },
  ...(stdin && { stdin }),
})
const redact = (args: readonly string[], stdin?: Buffer) => run(['redact', ...args], surroundings(stdin))

test('a file, "-" and stdin give the same text, masked with the key of this node, and a table', async () => {
  const text = Buffer.from(`one\t\xff\x1b[31m\r\npassword=${SECRET}\n`, 'latin1')
  writeFileSync(at('app.log'), text)
  const ran = await redact(['app.log'])
  expect(ran.code, ran.stderr).toBe(0)
  const out = ran.stdout.toString('latin1')
  expect(out.replace(MASK, SECRET)).toBe(text.toString('latin1'))
  expect(out).toMatch(MASK)
  expect(ran.stderr).toBe('RULE      HITS\npassword     1\ntotal        1\n')
  for (const same of [await redact(['-'], text), await redact([], text)]) expect(same).toEqual(ran)
})

test('nothing in is nothing out', async () => {
  expect(await redact([], Buffer.alloc(0))).toEqual({
    code: 0,
    stdout: Buffer.alloc(0),
    stderr: 'RULE   HITS\ntotal     0\n',
  })
})

test('longer than any buffer, all of it, in order, each secret masked', async () => {
  const lines = Array.from({ length: 60_000 }, (_, n) =>
    n % 20 === 0 ? `${n} password=${SECRET}` : `${n} nothing to see here, all is well`,
  )
  const { code, stdout, stderr } = await redact([], Buffer.from(lines.join('\n')))
  expect(code, stderr).toBe(0)
  expect(stdout.toString().replaceAll(new RegExp(MASK, 'g'), SECRET)).toBe(lines.join('\n'))
  expect(stdout.toString()).not.toContain(SECRET)
  expect(stderr).toMatch(/^total +3000$/m)
})

test('does what the configuration says: names, rules and files', async () => {
  writeFileSync(at('secrets'), 'MAILBOX=plainlookingvalue1\n')
  const redaction = { names: ['flurbkey'], rules: [{ name: 'badge', pattern: 'B-\\d{6}' }], files: [at('secrets')] }
  writeFileSync(at('config.yaml'), JSON.stringify({ redaction }), { mode: 0o600 })
  const { code, stdout, stderr } = await redact([], Buffer.from('flurbkey=zebra42zebra\nB-123456 plainlookingvalue1\n'))
  expect(code, stderr).toBe(0)
  expect(stdout.toString()).toMatch(
    /^flurbkey=<masked:[a-z-]+:\w{6}>\n<masked:badge:\w{6}> <masked:live-value:\w{6}>\n$/,
  )
})

test.each([
  [['nope.log'], /^diagd: nope\.log cannot be read: ENOENT/],
  [['state'], /^diagd: state cannot be read: it is a folder/],
  [['a', 'b'], /too many arguments/],
])('%j is refused', async (args, said) => {
  mkdirSync(at('state'))
  expect(await redact(args)).toMatchObject({ code: 2, stdout: Buffer.alloc(0), stderr: expect.stringMatching(said) })
})

test('a configuration of secrets that cannot be understood lets nothing out', async () => {
  writeFileSync(at('config.yaml'), 'redaction: {names: 7}\n', { mode: 0o600 })
  expect(await redact([], Buffer.from(SECRET))).toMatchObject({
    code: 2,
    stdout: Buffer.alloc(0),
    stderr: expect.stringContaining('the configuration of what is secret cannot be understood'),
  })
})

test('what is compressed is refused, as a file and from a pipe', async () => {
  const compressed = gzipSync(SECRET)
  writeFileSync(at('a.gz'), compressed)
  for (const ran of [await redact(['a.gz']), await redact([], compressed)]) {
    expect(ran).toMatchObject({
      code: 1,
      stdout: Buffer.alloc(0),
      stderr: expect.stringContaining('it is compressed (gzip); unpack it first'),
    })
  }
})

test('a pattern that fails ends the output before the place, with code 1', async () => {
  const redaction = { rules: [{ name: 'endless', pattern: 'BEGIN[^E]+' }] }
  writeFileSync(at('config.yaml'), JSON.stringify({ redaction }), { mode: 0o600 })
  const before = 'all is well\n'.repeat(30_000)
  const { code, stdout, stderr } = await redact([], Buffer.from(`${before}BEGIN${'x'.repeat(1_000_000)}`))
  expect(code).toBe(1)
  expect(stdout.length).toBeGreaterThan(0)
  expect(before.startsWith(stdout.toString())).toBe(true)
  expect(stderr).toMatch(/^diagd: what comes from here on is not handed over, .*a rule failed: RangeError/)
})

test('a reader that goes away is a failure without a word', async () => {
  writeFileSync(at('large'), 'all is well\n'.repeat(2_000_000))
  const { child, ended } = start(['redact', 'large'], surroundings())
  await once(child.stdout!, 'data')
  child.stdout!.destroy()
  expect(await ended).toMatchObject({ code: 1, stderr: '' })
})

test('of a large file it keeps little', async () => {
  writeFileSync(at('large'), Buffer.alloc(400_000_000, 'all is well\n'))
  const child = spawn(process.execPath, [CLI, 'redact', 'large'], {
    env: { PATH: process.env.PATH, DIAGD_CONFIG_DIR: folder.path, STATE_DIRECTORY: at('state') },
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let [bytes, before, peak] = [0, 0, 0]
  for await (const chunk of child.stdout) {
    bytes += (chunk as Buffer).length
    if (bytes > 399_000_000) continue
    peak = Math.max(peak, residentMiB(child.pid!))
    if (bytes < 20_000_000) before = peak
  }
  expect(bytes).toBe(400_000_000)
  expect(peak - before).toBeLessThan(100)
})

test('on a terminal masks stand out and control characters do nothing', () => {
  writeFileSync(at('app.log'), `a\tpassword=${SECRET} \x1b]0;title\x07\n\rb\n`)
  const env = { PATH: process.env.PATH, DIAGD_CONFIG_DIR: folder.path, STATE_DIRECTORY: at('state') }
  const { stdout, status } = spawnSync('script', ['-qec', `${COMMAND} app.log`, '/dev/null'], {
    cwd: folder.path,
    encoding: 'utf8',
    env,
  })
  expect(status).toBe(0)
  expect(stdout.replaceAll('\r\n', '\n').replace(/masked:password:\w{6}/, 'M')).toBe(
    'a\tpassword=\x1b[7m<M>\x1b[27m \\x1b]0;title\\x07\n\\x0db\nRULE      HITS\npassword     1\ntotal        1\n',
  )
  expect(readFileSync(at('state/redaction.key'))).toHaveLength(32)
})

test('what a terminal is shown does not depend on where the text is cut', () => {
  const text = Buffer.from('ä <masked:jwt:0a1b2c>\r\nb < c <masked:x <masked:jwt:0a1b2c>\r<mask')
  const shown = (size: number) => {
    const view = terminalView()
    let out = ''
    for (let from = 0; from < text.length; from += size) out += view.push(text.subarray(from, from + size))
    return out + view.end()
  }
  const M = '\x1b[7m<masked:jwt:0a1b2c>\x1b[27m'
  for (const size of [1, 2, 3, 7, 1000]) expect(shown(size)).toBe(`ä ${M}\nb < c <masked:x ${M}\\x0d<mask`)
})

test('the table: the most frequent first, then by name, and the sum', () => {
  expect(hitsTable({ jwt: 2, password: 10, aws: 2 })).toEqual([
    'RULE      HITS',
    'password    10',
    'aws          2',
    'jwt          2',
    'total       14',
  ])
})

function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}
