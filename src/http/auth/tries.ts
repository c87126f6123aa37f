/** Failed tries, counted per address for a minute; bounded, without timers. */
import { isIPv6 } from 'node:net'

export interface Tries {
  /** Seconds until this credential may be tried from this address; undefined when it may be now. */
  blockedSeconds(address: string, digest: Buffer): number | undefined
  failed(address: string, digest: Buffer): void
  succeeded(address: string, digest: Buffer): void
}

const WINDOW_MS = 60_000
const MAX_FAILED = 10
/** Behind a proxy everybody has its address: the first is for one and the same credential, this one for all of them. */
const MAX_FAILED_SHARED = 600
/** What an attacker with many addresses can fill; then the oldest are forgotten. */
const MAX_REMEMBERED = 4096

/**
 * A credential that was right from an address is tried whatever its neighbours get wrong: otherwise a stranger behind
 * the same address could lock its owner out.
 * @param shared all requests come from the address of a proxy.
 */
export function createTries(shared: boolean, now = () => performance.now()): Tries {
  const counts = new Map<string, { failed: number; sinceMs: number }>()
  const proven = new Map<string, true>()
  const limits = (address: string, digest: Buffer): [key: string, limit: number][] =>
    shared
      ? [
          [pair(address, digest), MAX_FAILED],
          [networkOf(address), MAX_FAILED_SHARED],
        ]
      : [[networkOf(address), MAX_FAILED]]
  return {
    blockedSeconds(address, digest) {
      if (proven.has(pair(address, digest))) return undefined
      const waits = limits(address, digest).map(([key, limit]) => {
        const count = counts.get(key)
        return count && count.failed >= limit ? count.sinceMs + WINDOW_MS - now() : 0
      })
      const waitMs = Math.max(...waits)
      return waitMs > 0 ? Math.ceil(waitMs / 1000) : undefined
    },
    failed(address, digest) {
      proven.delete(pair(address, digest))
      for (const [key] of limits(address, digest)) {
        const before = counts.get(key)
        const count = before && now() - before.sinceMs < WINDOW_MS ? before : { failed: 0, sinceMs: now() }
        count.failed += 1
        remember(counts, key, count)
      }
    },
    succeeded: (address, digest) => remember(proven, pair(address, digest), true),
  }
}

/** One customer of a provider has a whole /64. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.replace(/%.*$/, '').toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0')
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`
}

function pair(address: string, digest: Buffer): string {
  return `${networkOf(address)} ${digest.toString('base64url', 0, 12)}`
}

/** As the newest; the oldest goes. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > MAX_REMEMBERED) map.delete(map.keys().next().value!)
}
