/** Waiting for the thread of the databases, but not for ever: whoever asks over HTTP is told in time. */
import { StoreError } from './store/error.ts'

/** @throws StoreError `busy`. */
export async function answered<T>(work: Promise<T>, milliseconds: number, message: string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new StoreError('busy', message)), milliseconds)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
