/** What a bundle is called. */
import { randomBytes } from 'node:crypto'
import { tokenOf } from '../redact/mask.ts'
import type { BundleDeps } from './deps.ts'
import type { BundleRequest } from './types.ts'

/**
 * `debug-<node>-<YYYYMMDDTHHMMSSZ>-<id6>`: name of the top folder, and of the file without its extension. One that is not
 * masked says so in its name, one with pseudonyms does not name the node.
 */
export function bundleId(
  deps: Pick<BundleDeps, 'host' | 'redaction'>,
  nowMs: number,
  wish: Partial<BundleRequest> = {},
): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const { node } = deps.host
  const name = wish.pseudonymize ? `node-${tokenOf(node, deps.redaction.nodeKey.bytes)}` : node
  return `debug-${wish.unmasked ? 'UNMASKED-' : ''}${name}-${time}-${randomBytes(3).toString('hex')}`
}
