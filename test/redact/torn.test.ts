/** A private key whose first line is missing: known by its last one, wherever it was torn and wherever a stretch ends. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { createConfigured } from '../../src/redact/configured.ts'
import { inParts } from '../../src/redact/parts.ts'
import { AHEAD_BYTES, createStream } from '../../src/redact/stream.ts'
import { maskAll, random } from './mask-all.ts'

const folder = mkdtempSync(join(tmpdir(), 'diagd-torn-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(command: string, ...words: string[]): string {
  const env = { ...process.env, GNUPGHOME: folder, HOME: folder }
  return execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env, cwd: folder })
}

function has(command: string): boolean {
  try {
    run('sh', '-c', `command -v ${command}`)
    return true
  } catch {
    return false
  }
}

function sshKey(kind: string, ...words: string[]): string {
  const path = join(folder, `${kind}-${words.length}-${random(6)}`)
  run('ssh-keygen', '-q', '-t', kind, '-N', '', '-f', path, ...words)
  return readFileSync(path, 'utf8')
}

function gpgKey(): string {
  const batch = ['--batch', '--pinentry-mode', 'loopback', '--passphrase', '']
  try {
    run('gpg', ...batch, '--quick-generate-key', 'Torn <torn@example.com>', 'rsa2048', 'default', 'never')
    return run('gpg', ...batch, '--armor', '--export-secret-keys')
  } finally {
    run('gpgconf', '--kill', 'all')
  }
}

const OPENSSL: [string, () => string][] = [
  ['PKCS #8', () => run('openssl', 'genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048')],
  ['RSA', () => run('openssl', 'genrsa', '-traditional', '2048')],
  ['EC', () => run('openssl', 'ecparam', '-name', 'secp384r1', '-genkey', '-noout')],
  ['Ed25519', () => run('openssl', 'genpkey', '-algorithm', 'ED25519')],
  ['encrypted', () => run('openssl', 'genpkey', '-algorithm', 'RSA', '-aes256', '-pass', 'pass:abcd')],
  ['RSA, encrypted', () => run('openssl', 'genrsa', '-traditional', '-aes256', '-passout', 'pass:abcd', '2048')],
]
const SSH: [string, () => string][] = [
  ['OpenSSH Ed25519', () => sshKey('ed25519')],
  ['OpenSSH RSA', () => sshKey('rsa', '-b', '2048')],
  ['OpenSSH ECDSA', () => sshKey('ecdsa')],
]
const TOOLS: [string, () => string][] = [
  ...(has('openssl') ? OPENSSL : []),
  ...(has('ssh-keygen') ? SSH : []),
  ...(has('gpg') ? [['PGP', gpgKey] as [string, () => string]] : []),
]

/** What is secret in it, line by line, without its padding. */
function bodyOf(key: string): string[] {
  return key.split('\n').filter((line) => /^=?[A-Za-z0-9+/]+={0,2}$/.test(line))
}

const LINES: [string, (line: string) => string][] = [
  ['as it is', (line) => `${line}\n`],
  ['with CR', (line) => `${line}\r\n`],
  ['indented', (line) => `    ${line}\n`],
  ['as a container writes it', (line) => `2026-01-01T00:00:00.00000012${line.length % 10}Z stdout F ${line}\n`],
  ['in the journal', (line) => `2026-11-21T14:21:43.${1000 + line.length}+00:00 web-1 app[123]: ${line}\n`],
  [
    'in a log of Docker',
    (line) => `${JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2026-11-21T14:21:43.1Z' })}\n`,
  ],
  ['as a list of JSON', (line) => `      "${line}",\n`],
]
const ON_ONE_LINE: [string, (text: string) => string][] = [
  ['in JSON', (text) => `${JSON.stringify({ msg: text, level: 30 })}\n`],
  ['in JSON in JSON', (text) => `${JSON.stringify({ log: JSON.stringify({ key: text }) })}\n`],
  ['with spaces', (text) => `${text.trimEnd().replaceAll('\n', ' ')}\n`],
  ['in a form', (text) => `key=${encodeURIComponent(text)}&b=c\n`],
]

const BEFORE = 'an ordinary line 17 of the log\n'
const AFTER = 'and one behind it\n'

function expectNothingOf(secrets: readonly string[], text: string): void {
  for (const secret of secrets) {
    const letters = secret.replaceAll('=', '')
    // What is left of a line is looked for, too.
    for (let at = 0; at + 8 <= letters.length; at += 12) {
      const piece = letters.slice(at, at + 12)
      if (piece.length >= 8) expect(text).not.toContain(piece)
    }
  }
}

describe.each(TOOLS)('a key of %s', (_, make) => {
  const key = make()
  const lines = key.trimEnd().split('\n')
  const body = bodyOf(key)
  // A checksum alone tells nothing.
  const counts = [body.at(-1)!.startsWith('=') ? 2 : 1, 3, Math.ceil(body.length / 2), body.length]
  const last = lines.at(-1)!

  test('is torn wherever it may be, in lines of every kind', () => {
    expect(body.length).toBeGreaterThan(0)
    for (const [, write] of LINES) {
      const [before, after] = [write('before it'), write('after it')]
      for (const count of new Set(counts.map((one) => Math.min(one, body.length)))) {
        const rest = [...body.slice(-count), last]
        const text = before + rest.map(write).join('') + after
        const masked = maskAll(text)
        expectNothingOf(body.slice(-count), masked)
        expect(masked.split('\n')).toHaveLength(text.split('\n').length)
        expect(masked.startsWith(before)).toBe(true)
        expect(masked.endsWith(write(last) + after)).toBe(true)
        expect(maskAll(masked)).toBe(masked)
      }
    }
  })

  test('is torn on one line', () => {
    for (const [, write] of ON_ONE_LINE)
      for (const count of new Set([Math.min(2, body.length), body.length])) {
        const text = write(`${[...body.slice(-count), last].join('\n')}\n`)
        const masked = maskAll(BEFORE + text + AFTER)
        expectNothingOf(body.slice(-count), decodeURIComponent(masked.replaceAll(/%(?![0-9A-F]{2})/g, '%25')))
        expect(masked.startsWith(BEFORE)).toBe(true)
        expect(masked.endsWith(AFTER)).toBe(true)
        expect(masked).toContain('<masked:private-key:')
      }
  })

  test('leaves its last line, in the words in which a whole one is masked', () => {
    const whole = maskAll(`${lines.join('\n')}\n`).split('\n')
    const torn = maskAll(`${[...body, last].join('\n')}\n`).split('\n')
    expect(torn).toEqual(whole.slice(-torn.length))
  })
})

const wide = (letters: number) => random(letters, 'base64')
const BODY = [...Array.from({ length: 4 }, () => wide(64)), `${wide(30)}==`]
const END = '-----END RSA PRIVATE KEY-----'
const PIECES: [string, string][] = [
  ...LINES.map(([how, write]): [string, string] => [
    how,
    write('x y') + [...BODY, END].map(write).join('') + write('z w'),
  ]),
  ...ON_ONE_LINE.map(([how, write]): [string, string] => [
    how,
    BEFORE + write(`${[...BODY, END].join('\n')}\n`) + AFTER,
  ]),
  [
    'of PGP',
    `${[...BODY.slice(0, -1), wide(20), `=${wide(4)}`].join('\n')}\n-----END PGP PRIVATE KEY BLOCK-----\n${AFTER}`,
  ],
  ['of PuTTY', `${BODY.join('\n')}\nPrivate-MAC: 0f0f\n${AFTER}`],
  ['at the end of the log', `${BEFORE}${BODY.join('\n')}\n${END}`],
  ['of one line', `${BEFORE}${wide(64)}\n${END}\n${AFTER}`],
  ['of a short line', `${BEFORE}Zq8/x9Vw==\n${END}\n${AFTER}`],
]

test.each(PIECES)('the border of a stretch may be anywhere: %s', (_, text) => {
  const whole = maskAll(text)
  expect(whole).toContain('<masked:private-key:')
  expectNothingOf(
    BODY.filter((line) => text.includes(line)),
    whole,
  )
  for (let first = 1; first < text.length; first++) expect(maskAll(text, { first })).toBe(whole)
  for (const block of [7, 64, 100]) expect(maskAll(text, { block })).toBe(whole)
})

const redactor = createConfigured({ key: Buffer.alloc(32, 7) })

async function streamed(text: string, lengths: readonly number[], sizes: { part: number; stretch: number }) {
  const parted = inParts(redactor, { behind: 1024, part: sizes.part, ahead: AHEAD_BYTES })
  const stream = createStream(async (stretch) => parted(stretch), {
    behindBytes: 1024,
    aheadBytes: AHEAD_BYTES,
    stretchBytes: sizes.stretch,
  })
  const bytes = Buffer.from(text)
  const out: Uint8Array[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length]!
    for await (const part of stream.push(bytes.subarray(at, at + length))) out.push(Buffer.from(part))
    at += length
  }
  for await (const part of stream.end()) out.push(Buffer.from(part))
  return Buffer.concat(out).toString()
}

/** As long as one of RSA with 16 384 bits. */
const LARGE = [...Array.from({ length: 194 }, () => wide(64)), `${wide(30)}==`]

test.each(LINES.filter(([how]) => how !== 'in a log of Docker'))(
  'a key of 16 384 bits %s is masked however the stream is cut',
  async (_, write) => {
    const ordinary = Array.from({ length: 100 }, (__, index) =>
      write(`line ${index} of ${random(64, 'hex')} what`),
    ).join('')
    const text = ordinary + [...LARGE, END].map(write).join('') + ordinary
    const whole = await streamed(text, [text.length], { part: 1 << 20, stretch: 1 << 20 })
    expectNothingOf(LARGE, whole)
    expect(whole.startsWith(ordinary)).toBe(true)
    expect(whole.endsWith(ordinary)).toBe(true)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1 }),
        fc.integer({ min: 50, max: 30_000 }),
        fc.integer({ min: 1000, max: 60_000 }),
        async (lengths, part, stretch) => {
          expect(await streamed(text, lengths, { part, stretch })).toBe(whole)
        },
      ),
      { numRuns: 12 },
    )
  },
)

describe('a line that was cut itself', () => {
  const one = BODY[0]!
  const rest = [...BODY.slice(1), END]

  test('is masked where the text begins, and where something was left out', () => {
    const note = '\n… diagd: 1234 bytes left out here (over the limit of 5000 bytes per entry) …\n'
    for (const [, write] of LINES)
      for (let cut = 0; cut < write(one).length - 1; cut++)
        for (const before of ['', `${BEFORE}half a li${note}`]) {
          const masked = maskAll(before + write(one).slice(cut) + rest.map(write).join('') + AFTER)
          expectNothingOf([one.slice(-40), ...BODY.slice(1)], masked)
          expect(masked.startsWith(before)).toBe(true)
        }
  })

  test('on one line is masked, too', () => {
    const text = JSON.stringify({ msg: [...BODY, END].join('\n') })
    for (let cut = 10; cut < 70; cut++) expectNothingOf(BODY.slice(1), maskAll(`${text.slice(cut)}\n`))
    for (let cut = 10; cut < 70; cut++)
      expect(maskAll(`${text.slice(cut)}\n`)).toMatch(/^<masked:private-key:\w{6}>-----END/)
  })
})

const certificate = [...Array.from({ length: 20 }, () => wide(64)), `${wide(40)}==`]

test.each<[string, string]>([
  ['a certificate', `${certificate.join('\n')}\n-----END CERTIFICATE-----\n`],
  ['a public key', `${certificate.join('\n')}\n-----END PUBLIC KEY-----\n`],
  ['a public key of PGP', `${certificate.join('\n')}\n=aB1d\n-----END PGP PUBLIC KEY BLOCK-----\n`],
  ['a certificate in JSON', `${JSON.stringify({ pem: `${certificate.join('\n')}\n-----END CERTIFICATE-----\n` })}\n`],
  ['ordinary base64', `${certificate.join('\n')}\nand so on\n`],
  ['base64 and nothing more', `${certificate.join('\n')}\n`],
  ['a certificate before an end', `${certificate.join('\n')}\n-----END CERTIFICATE-----\n${END}\n`],
  ['base64 with a line between', `${certificate.join('\n')}\nprivate key follows\n${END}\n`],
  ['an id of Docker', `${random(64, 'hex')}\nstarted it\n${END}\n`],
  ['words', `expected\n${END}\n`],
  ['words on one line', `it ends with ${END}\n`],
  ['words in JSON', `${JSON.stringify({ msg: `expected\n${END}\nfound` })}\n`],
  ['a word before it', `started\n${END}\n`],
  ['another shape', `web: ${certificate.join('\nweb: ')}\ndb: ${END}\n`],
  ['what Docker inspects', `"Data": "${certificate.slice(0, 3).join('')}",\n"Note": "no ${END}"\n`],
  ['fingerprints', `256 SHA256:${wide(43)} root@web (ED25519)\n3072 SHA256:${wide(43)} root@web (RSA)\n${END}\n`],
  ['user-data of cloud-init', `user_data: ${certificate.join('')}\n`],
])('%s passes', (_, text) => {
  for (const first of [1, 100, 700, text.length - 40, text.length]) expect(maskAll(text, { first })).toBe(text)
})

test('of what stands too far before its end nothing is known', () => {
  const lines = Array.from({ length: 1000 }, () => wide(64))
  const masked = maskAll(`${lines.join('\n')}\n${END}\n`).split('\n')
  const at = masked.findIndex((line) => line.startsWith('<masked:'))
  expect(masked.slice(0, at)).toEqual(lines.slice(0, at))
  for (const line of masked.slice(at, 1000)) expect(line).toMatch(/^<masked:private-key:\w{6}>$/)
  expect((1000 - at) * 65).toBeGreaterThan(23 * 1024)
})

test.each(LINES)('a word in the first line of all is none of a key: %s', (_, write) => {
  expect(maskAll([write('started'), ...[...BODY, END].map(write)].join(''))).toContain(write('started'))
})
