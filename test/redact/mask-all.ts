/** Masks a text, in one stretch or cut where the test says, as the stream does it. */
import { randomInt } from 'node:crypto'
import { createRedactor, type Carry } from '../../src/redact/redactor.ts'
import type { Random } from '../../src/redact/rule.ts'
import { RULES } from '../../src/redact/rules.ts'
import { moved } from '../../src/redact/stream.ts'

const redact = createRedactor(RULES, Buffer.alloc(32, 7))
const BEHIND = 1024

export interface Cuts {
  /** Bytes of a stretch; the first may be of another length, so that a border falls anywhere. */
  readonly block?: number
  readonly first?: number
  readonly ahead?: number
}

export function maskAll(text: string, { block = 1 << 20, first = block, ahead = 16 * 1024 }: Cuts = {}): string {
  const all = Buffer.from(text)
  const out: Uint8Array[] = []
  let carry: Carry = { sentTo: 0, pending: [] }
  let base = 0
  for (let from = 0, to = Math.min(first, all.length); from < all.length;) {
    const end = Math.min(all.length, to + ahead)
    const masked = redact({
      bytes: all.subarray(base, end),
      from: from - base,
      to: to - base,
      final: end === all.length,
      carry,
    })
    out.push(masked.bytes)
    const next = Math.max(0, to - BEHIND)
    carry = moved(masked.carry, next - base)
    base = next
    from = to
    to = Math.min(all.length, to + block)
  }
  return Buffer.concat(out).toString()
}

/** The masks without their tokens: `<masked:jwt:#>`. */
export function shapeOf(masked: string): string {
  return masked.replaceAll(/<masked:([a-z0-9-]+):[0-9a-f]{6}>/g, '<masked:$1:#>')
}

const LETTERS = {
  alphanumeric: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  hex: '0123456789abcdef',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
}

export const random: Random = (length, alphabet = 'alphanumeric') =>
  Array.from({ length }, () => LETTERS[alphabet][randomInt(LETTERS[alphabet].length)]).join('')
