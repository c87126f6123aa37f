/** Proof with every bundle: secrets of every kind, made up on the spot, go through the same pipe as everything else. */
import { randomBytes } from 'node:crypto'
import type { Random } from './rule.ts'
import { RULES } from './rules.ts'
import type { RedactionStream } from './stream.ts'

export interface SelfTest {
  readonly planted: number
  readonly caught: number
  /** Rules whose secrets came through. */
  readonly missed: readonly string[]
}

/** Cut into pieces of an odd size, as a source might deliver it. */
const PIECE_BYTES = 97

export async function selfTest(stream: Pick<RedactionStream, 'push' | 'end'>): Promise<SelfTest> {
  const canaries = RULES.map(({ id, canary }) => ({ id, canary: canary(random) }))
  const text = Buffer.from(canaries.map(({ canary }) => canary.text).join('\n\n\n'))
  const out: Buffer[] = []
  for (let at = 0; at < text.length; at += PIECE_BYTES) {
    for await (const part of stream.push(text.subarray(at, at + PIECE_BYTES))) out.push(Buffer.from(part))
  }
  for await (const part of stream.end()) out.push(Buffer.from(part))
  const masked = Buffer.concat(out).toString('latin1')
  const secrets = canaries.flatMap(({ id, canary }) =>
    canary.secrets.map((secret) => ({ id, through: masked.includes(secret) })),
  )
  const through = secrets.filter((secret) => secret.through)
  return {
    planted: secrets.length,
    caught: secrets.length - through.length,
    missed: [...new Set(through.map(({ id }) => id))],
  }
}

const ALPHABETS = {
  alphanumeric: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  hex: '0123456789abcdef',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  base64: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/',
}

/** Letters and digits as a vendor's generator would give them: where both exist, both occur. */
export const random: Random = (length, alphabet = 'alphanumeric') => {
  const letters = ALPHABETS[alphabet]
  const text = Array.from(randomBytes(length), (byte) => letters[byte % letters.length]!)
  if (length >= 4 && alphabet !== 'lower') {
    text[1] = letters.includes('k') ? 'k' : letters[3]!
    text[length - 2] = '7'
  }
  return text.join('')
}
