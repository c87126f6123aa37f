/**
 * TLS of the TCP door, kept up to date. The files are looked at once a minute: watching misses what certbot and
 * Kubernetes do (links are swapped, folders replaced), and a signal needs somebody who sends it. A certificate is renewed
 * days before it ends, so a minute is soon.
 */
import type { X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import { readTls, stampOf } from './tls-files.ts'
import type { LoadedTls, TlsPaths } from './tls-files.ts'

export interface TlsKeeper {
  /** The newest good pair; undefined when there was none yet. */
  context(): SecureContextOptions | undefined
  /** Looks at the files; true when there is a new good pair. A bad one leaves the old in place. */
  refresh(): Promise<boolean>
  /** What is wrong with the files as they are. */
  problem(): string | undefined
  /** What is, or will soon be, wrong with the certificate in use. */
  warning(): string | undefined
}

export function createTlsKeeper(paths: TlsPaths): TlsKeeper {
  let loaded: LoadedTls | undefined
  let problem: string | undefined
  let stamp: string | undefined
  return {
    context: () => loaded?.context,
    problem: () => problem,
    warning: () => loaded && validityWarning(loaded.certificate, paths.certificate),
    async refresh() {
      // Before they are read: what changes meanwhile is seen the next time.
      const seen = await stampOf(paths)
      // A bad pair is read again: what failed need not be in the files (too many open ones, say).
      if (seen === stamp && problem === undefined) return false
      try {
        const newest = await readTls(paths)
        const same = isSame(loaded, newest)
        loaded = newest
        stamp = seen
        problem = undefined
        return !same
      } catch (error) {
        problem = `${(error as Error).message}; ${loaded ? 'the certificate from before is used on' : 'TCP stays closed'} until that is mended`
        return false
      }
    },
  }
}

function isSame(one: LoadedTls | undefined, other: LoadedTls): boolean {
  const keys = ['cert', 'key', 'ca'] as const
  return one !== undefined && keys.every((key) => one.context[key] === other.context[key])
}

const SOON_DAYS = 14
const DAY_MS = 86_400_000

function validityWarning({ validFromDate, validToDate }: X509Certificate, path: string, nowMs = Date.now()) {
  const leftMs = validToDate.getTime() - nowMs
  const end = validToDate.toISOString()
  if (validFromDate.getTime() > nowMs) return `tls: ${path} is not valid before ${validFromDate.toISOString()}`
  if (leftMs <= 0) return `tls: ${path} has expired at ${end}: clients refuse it`
  if (leftMs < SOON_DAYS * DAY_MS) return `tls: ${path} expires at ${end}, in ${Math.floor(leftMs / DAY_MS)} days`
  return undefined
}
