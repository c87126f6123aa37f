/** There is no place left for what runs as much as a bundle does. */
import { HttpError } from './errors.ts'
import type { Places } from './places.ts'

const RETRY_AFTER_S = 10

export function tooMany({ running, limit }: Places): HttpError {
  const detail = `${running} bundles are being made, the limit is ${limit} (one more through the unix socket); try again in ${RETRY_AFTER_S} s`
  return new HttpError('too-many-bundles', detail, { headers: { 'retry-after': String(RETRY_AFTER_S) } })
}
