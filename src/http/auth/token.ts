/** Bearer tokens: what they look like, and what is kept of them. */
import { createHash, randomBytes } from 'node:crypto'

/** A scanner of leaked secrets knows it by its prefix; 32 random bytes follow. */
const TOKEN = /^diagd_[A-Za-z0-9_-]{43}$/

export function newToken(): string {
  return `diagd_${randomBytes(32).toString('base64url')}`
}

export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/**
 * Plain SHA-256, without salt or stretching: those slow down guessing of what people choose, and nobody guesses 256
 * random bits. So a look at every request costs microseconds.
 */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
