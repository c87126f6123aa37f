/** Waiting for the file system, but not for ever: a dying disk blocks a call without end. */
import { SourceError } from './source.ts'

/** How long a look (stat, list, a folder of a glob) may take; reading has `limits.stallMs`. */
export const lookMs = 15_000

export interface Patience {
  readonly ms: number
  readonly signal: AbortSignal
}

/**
 * What `work` resolves to, unless `ms` pass (`timeout`) or the signal is aborted (its reason) first.
 * The call itself cannot be taken back: what it brings too late is given to `late`, to be closed.
 */
export function patiently<T>(
  work: Promise<T>,
  what: string,
  patience: Patience,
  late?: (value: T) => unknown,
): Promise<T> {
  const { ms, signal } = patience
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abandon)
    }
    const giveUp = (reason: unknown) => {
      settle()
      work.then((value) => late?.(value)).catch(() => {})
      reject(reason instanceof Error ? reason : new Error(String(reason)))
    }
    const abandon = () => giveUp(signal.reason)
    const timer = setTimeout(() => giveUp(new SourceError('timeout', `${what}: no answer within ${ms} ms`)), ms)
    if (signal.aborted) return abandon()
    signal.addEventListener('abort', abandon, { once: true })
    work.then(
      (value) => {
        settle()
        resolve(value)
      },
      (error: Error) => {
        settle()
        reject(error)
      },
    )
  })
}
