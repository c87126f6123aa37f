/** What stands in place of a secret: its kind and a token that is the same for the same secret on the same node. */
import { createHmac, type KeyObject } from 'node:crypto'

/** Six hexadecimal digits tell the few hundred secrets of a machine apart, and give nothing of them away. */
const DIGITS = 6

/** `<masked:github-token:3f9c1a>`: safe in JSON, YAML and file names. */
export const MASK = /<masked:[a-z0-9-]{1,40}:[0-9a-f]{6}>/

const WHOLE_MASK = new RegExp(`^${MASK.source}$`)

export function isMask(text: string): boolean {
  return text.length < 64 && WHOLE_MASK.test(text)
}

/**
 * @param key the node's own; it never leaves the machine, so a token can neither be reversed nor compared across nodes. As an
 *   object, made once, it saves ten microseconds a mask.
 * @param secret latin1: one character per byte.
 */
export function maskOf(kind: string, secret: string, key: KeyObject | Uint8Array): string {
  return `<masked:${kind}:${tokenOf(secret, key)}>`
}

export function tokenOf(secret: string, key: KeyObject | Uint8Array): string {
  return createHmac('sha256', key).update(secret, 'latin1').digest('hex').slice(0, DIGITS)
}

/** A mask names a kind, and `token:3f9c1a` looks like a pair: what begins inside a mask is no secret. */
export function isInMask(text: string, at: number): boolean {
  const from = Math.max(0, at - LONGEST_MASK)
  const open = text.slice(from, at).lastIndexOf('<masked:')
  if (open < 0) return false
  MASK_HERE.lastIndex = from + open
  return MASK_HERE.test(text) && MASK_HERE.lastIndex > at
}

const LONGEST_MASK = 64
const MASK_HERE = new RegExp(MASK.source, 'y')
