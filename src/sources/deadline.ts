/** Waiting with an end: whatever hangs, the engine goes on. */
import { SourceError } from './source.ts'

/**
 * The result of `work`, unless it takes longer than `limitMs` (outcome timeout, naming `what`) or the signal aborts
 * (rejects with its reason). The work itself is not ended by it.
 */
export async function within<T>(
  limitMs: number,
  signal: AbortSignal,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new SourceError('timeout', `${what} took longer than ${limitMs / 1000} s`)),
    limitMs,
  )
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work(), promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
