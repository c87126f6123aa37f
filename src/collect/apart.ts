/** One answer by itself: looked for and masked as in a bundle, without one. */
import type { EntryWriter } from '../archive/entry.ts'
import type { Kit } from '../collector.ts'
import { DEFAULT_LIMITS } from '../config/limits.ts'
import type { BundleDeps } from './deps.ts'
import { createKit, maskedKit } from './kit.ts'
import { parseBundleRequest } from './request.ts'
import type { BundleRun } from './run.ts'
import { sourceContext } from './source-context.ts'
import { establishTrust, openRedaction } from './trust.ts'

/**
 * @param make looks around with a kit that masks what it shows, and gives the text.
 * @throws a SourceError `withheld` when the mask cannot be trusted with it.
 */
export async function askedApart(
  deps: BundleDeps,
  make: (kit: Kit) => Promise<string>,
  signal: AbortSignal,
): Promise<Buffer> {
  const request = parseBundleRequest({}, { nowMs: Date.now(), collectorIds: [], defaults: DEFAULT_LIMITS })
  const ended = new AbortController()
  const source = sourceContext(request, deps, AbortSignal.any([signal, ended.signal]))
  const run: Pick<BundleRun, 'request' | 'deps' | 'source' | 'redaction'> = {
    request,
    deps,
    source,
    redaction: openRedaction(request, deps),
  }
  try {
    await establishTrust(run)
    const kit = maskedKit(createKit(run), (text) => run.redaction.look(text))
    return await masked(await make(kit), run)
  } finally {
    ended.abort(new Error('the answer is made'))
    run.redaction.close()
  }
}

/** By the pipe of an entry: where the mask is not to be trusted, nothing comes out. */
async function masked(text: string, { redaction }: Pick<BundleRun, 'redaction'>): Promise<Buffer> {
  const parts: Buffer[] = []
  const kept: EntryWriter = {
    path: 'apart',
    write: async (part) => void parts.push(Buffer.from(part)),
    end: async () => [],
    discard: () => {},
  }
  const pipe = redaction.pipe(kept)
  try {
    await pipe.write(Buffer.from(text))
    await pipe.flush()
  } finally {
    pipe.discard()
  }
  return Buffer.concat(parts)
}
