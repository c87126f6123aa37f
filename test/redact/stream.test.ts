/** A secret is caught wherever the stream is cut, and whatever its length; the memory held is bounded. */
import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createRedactor, type Stretch } from '../../src/redact/redactor.ts'
import { RULES } from '../../src/redact/rules.ts'
import { createStream, type MaskStretch, type StreamSizes } from '../../src/redact/stream.ts'
import { random } from './mask-all.ts'

const redact = createRedactor(RULES, Buffer.alloc(32, 7))
/** As the worker gets it: a copy. */
const mask: MaskStretch = async (stretch) => redact(structuredClone(stretch))
const SMALL: StreamSizes = { behindBytes: 1024, aheadBytes: 16 * 1024, stretchBytes: 64 }
const LONGEST_AHEAD = SMALL.aheadBytes

async function through(chunks: Iterable<Uint8Array>, sizes?: StreamSizes, by = mask): Promise<Buffer> {
  const stream = createStream(by, sizes)
  const out: Uint8Array[] = []
  // Taken over at once: the worker hands out memory of its own.
  for (const chunk of chunks) for await (const bytes of stream.push(chunk)) out.push(Buffer.from(bytes))
  for await (const bytes of stream.end()) out.push(Buffer.from(bytes))
  return Buffer.concat(out)
}

async function masked(text: string, sizes?: StreamSizes): Promise<string> {
  return (await through([Buffer.from(text)], sizes)).toString()
}

const CANARIES = RULES.map(({ id, canary }) => {
  const { text, secrets } = canary(random)
  return { id, text, secrets }
})

describe.each(CANARIES)('$id', ({ text, secrets }) => {
  it('is caught at every offset around the border of a stretch', async () => {
    const alone = await masked(`${text}\n`)
    for (let lead = 0; lead < SMALL.stretchBytes; lead++) {
      const before = `${'.'.repeat(lead)}\n`
      const out = await masked(`${before}${text}\nafter\n`, SMALL)
      expect(out).toBe(`${before}${alone}after\n`)
      for (const secret of secrets) expect(out).not.toContain(secret)
    }
  })
})

const LOG = `${CANARIES.map(({ id, text }) => `the line before ${id}\n${text}\nthe line behind\n`).join('\n\n')}\n`

test('the chunks in which it comes make no difference', async () => {
  const whole = await masked(LOG)
  const bytes = Buffer.from(LOG)
  expect(whole.split('\n').length).toBe(LOG.split('\n').length)
  for (const { secrets } of CANARIES) for (const secret of secrets) expect(whole).not.toContain(secret)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
      fc.integer({ min: 50, max: 3000 }),
      async (lengths, stretchBytes) => {
        const out = await through(cut(bytes, lengths), { ...SMALL, stretchBytes })
        expect(out.toString()).toBe(whole)
      },
    ),
    { numRuns: 25 },
  )
})

function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length]!
    yield bytes.subarray(at, at + length)
    at += length
  }
}

const LONG = random(40_000)
const LONG_BASE64 = random(100_000, 'base64').replaceAll(/[+/]/g, 'x')

describe('secrets longer than what can be looked ahead at', () => {
  test.each<[string, (secret: string) => string]>([
    ['behind password=', (secret) => `a=1 password=${secret} b=2\nnext line\n`],
    ['in quotes', (secret) => `{"password":"${secret}","b":2}\nnext line\n`],
    ['in escaped quotes', (secret) => String.raw`{"log":"{\"password\":\"${secret}\"}"}` + '\nnext line\n'],
    ['on a line of YAML', (secret) => `password: ${secret}\nuser: a\n`],
    ['on one line of a block', (secret) => `password: |\n  ${secret}\nuser: a\n`],
    ['on many lines of a block', (secret) => `password: |\n${linesOf(secret, '  ')}user: a\n`],
    ['in a list of YAML', (secret) => `passwords:\n${linesOf(secret, '  - ')}user: a\n`],
    [
      'in a list of JSON',
      (secret) => `{"passwords":["${linesOf(secret, '').trim().replaceAll('\n', '","')}"],"b":2}\n`,
    ],
    ['in a list of JSON, of one', (secret) => `{"passwords":["${secret}","${secret}"],"b":2}\n`],
    ['in an element', (secret) => `<password>${secret}</password>\nnext line\n`],
    ['as a flag', (secret) => `run --password ${secret} --verbose\nnext line\n`],
    ['as a list of logins', (secret) => `chpasswd:\n  list: |\n${linesOf(secret, '    root:')}runcmd: []\n`],
    ['in a Digest header', (secret) => `Authorization: Digest a="b", c="${secret}", d="${secret}"\nnext line\n`],
    ['in a Digest header of curl', (secret) => `-H "Authorization: Digest a=b, c=${secret}" http://x\nnext line\n`],
    [
      'in a Digest header in JSON',
      (secret) => String.raw`{"authorization":"Digest a=\"b\", c=\"${secret}\", d=\"x\"","b":2}` + '\nnext line\n',
    ],
    [
      'in a header of AWS',
      (secret) =>
        `Authorization: AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=${secret}, Signature=${secret}\nnext line\n`,
    ],
    ['as a cookie', (secret) => `Cookie: a=${secret}; b=c\nnext line\n`],
    [
      'as a key',
      (secret) => `-----BEGIN PRIVATE KEY-----\n${linesOf(secret, '')}-----END PRIVATE KEY-----\nnext line\n`,
    ],
    [
      'as a key in JSON',
      (secret) =>
        `{"k":"-----BEGIN PRIVATE KEY-----\\n${linesOf(secret, '').replaceAll('\n', '\\n')}-----END PRIVATE KEY-----\\n"}\n`,
    ],
    [
      'as a key on one line',
      (secret) => `-----BEGIN RSA PRIVATE KEY----- ${secret} -----END RSA PRIVATE KEY-----\nnext line\n`,
    ],
  ])('%s', async (_, wrap) => {
    const text = `before\n${wrap(LONG)}`
    for (const sizes of [undefined, { ...SMALL, stretchBytes: 1000 }]) {
      const out = await masked(text, sizes)
      expect(leaked(out, LONG)).toBe('')
      expect(out.split('\n').length).toBe(text.split('\n').length)
      expect(out.startsWith('before\n')).toBe(true)
      expect(out.slice(-8)).toBe(text.slice(-8))
    }
  })

  const jwt = `${Buffer.from('{"alg":"RS256","typ":"JWT"}').toString('base64url')}.eyJ${LONG_BASE64}.${random(300)}`

  test.each([1000, 4096, 65_536, 262_144])('a JWT of 100 kB, in stretches of %i bytes', async (stretchBytes) => {
    for (const lead of [0, 1, 63, 500, 16_000, 16_384]) {
      const before = 'x'.repeat(lead)
      const out = await masked(`${before} got ${jwt} from a\nnext line\n`, { ...SMALL, stretchBytes })
      expect(leaked(out.slice(lead), LONG_BASE64)).toBe('')
      expect(out.slice(0, lead + 13)).toBe(`${before} got <masked:`)
      expect(out.endsWith(' from a\nnext line\n')).toBe(true)
    }
  })
})

function linesOf(text: string, lead: string): string {
  return text.replaceAll(/.{1,64}/g, (line) => `${lead}${line}\n`)
}

/** The first twelve bytes of the secret that stand in the output. */
function leaked(out: string, secret: string): string {
  const grams = new Set<string>()
  for (let at = 0; at + 12 <= out.length; at++) grams.add(out.slice(at, at + 12))
  for (let at = 0; at + 12 <= secret.length; at++) {
    const gram = secret.slice(at, at + 12)
    if (grams.has(gram)) return gram
  }
  return ''
}

describe('what is no text', () => {
  test('random bytes pass as they are', async () => {
    const bytes = randomBytes(300_000)
    expect((await through([bytes])).equals(bytes)).toBe(true)
    expect((await through([bytes], { ...SMALL, stretchBytes: 4096 })).equals(bytes)).toBe(true)
  })

  test('invalid UTF-8 and NULs around a secret stay', async () => {
    const before = Buffer.from([0xff, 0xfe, 0, 0xc3, 0x28, 0x80, 0x0a])
    const after = Buffer.from([0x0a, 0, 0xe2, 0x82, 0xed, 0xa0, 0x80])
    const out = await through([before, Buffer.from('password=k7Wq9zLp2XvR'), after])
    expect(out.subarray(0, before.length).equals(before)).toBe(true)
    expect(out.subarray(-after.length).equals(after)).toBe(true)
    expect(out.subarray(before.length, -after.length).toString()).toMatch(/^password=<masked:password:[0-9a-f]{6}>$/)
  })

  test('nothing in, nothing out', async () => {
    expect((await through([])).length).toBe(0)
    expect((await through([Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(0)])).toString()).toBe('a')
  })
})

describe('the memory held', () => {
  test.each<[string, string]>([
    ['of letters', 'x'],
    ['of a secret', 'password='],
  ])('is bounded for a line of 24 MB %s, through 96 stretches', async (_, start) => {
    const sizes = { behindBytes: 1024, aheadBytes: LONGEST_AHEAD, stretchBytes: 256 * 1024 }
    let most = 0
    let carried = 0
    const watching: MaskStretch = async (stretch: Stretch) => {
      most = Math.max(most, stretch.bytes.buffer.byteLength)
      const answer = redact(stretch)
      carried = Math.max(carried, JSON.stringify(answer.carry).length)
      return answer
    }
    const stream = createStream(watching, sizes)
    const chunk = Buffer.alloc(1 << 20, 'x')
    let length = 0
    const drain = async (parts: AsyncIterable<Uint8Array>) => {
      for await (const part of parts) length += part.length
    }
    await drain(stream.push(Buffer.from(start)))
    for (let turn = 0; turn < 24; turn++) await drain(stream.push(chunk))
    await drain(stream.end())
    expect(most).toBeLessThanOrEqual(sizes.behindBytes + sizes.aheadBytes + sizes.stretchBytes)
    expect(carried).toBeLessThan(1000)
    if (start === 'x') expect(length).toBe(24 * (1 << 20) + 1)
  })
})

test('a stretch that cannot be masked ends the stream', async () => {
  const failing: MaskStretch = async (stretch) => {
    if (stretch.from > 0) throw new Error('no')
    return redact(structuredClone(stretch))
  }
  await expect(through([Buffer.alloc(100_000, 'x')], SMALL, failing)).rejects.toThrow('no')
})
