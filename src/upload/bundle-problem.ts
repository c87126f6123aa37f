/** What is wrong with `uploads.bundle`, as far as it shows only when it is known which collectors there are. */
import { parseBundleRequest } from '../collect/request.ts'
import type { Config } from '../config.ts'

export function bundleProblem(
  { uploads, limits: defaults, recipients }: Pick<Config, 'uploads' | 'limits' | 'recipients'>,
  collectorIds: readonly string[],
): string | undefined {
  if (uploads === 'none') return undefined
  try {
    parseBundleRequest(uploads.parameters, { nowMs: Date.now(), collectorIds, defaults, recipients })
    return undefined
  } catch (error) {
    return `no bundle can be made with what "bundle" says: ${(error as Error).message}`
  }
}
