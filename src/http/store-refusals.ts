/** What a store refuses, as an answer. */
import { StoreError, type StoreErrorCode } from '../record/store/error.ts'
import { HttpError } from './errors.ts'

export async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code === 'invalid') throw new HttpError('bad-event', error.message)
    if (error.code === 'closed') throw new HttpError('shutting-down', 'ask again later')
    throw notRecording(error.code, error.message)
  }
}

/** Seconds until asking again may be of use. */
const RETRY_AFTER_S: Record<StoreErrorCode, number> = { busy: 1, paused: 5, off: 60, failed: 5, closed: 5, invalid: 5 }

export function notRecording(code: StoreErrorCode, message: string): HttpError {
  return new HttpError('not-recording', message, { headers: { 'retry-after': String(RETRY_AFTER_S[code]) } })
}
