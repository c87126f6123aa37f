/** What would be collected, and what not for which reason: the plan in index.json and the dry run of `diagd list`. */
import type { Kit, Tier } from '../collector.ts'
import { patiently } from '../sources/patience.ts'
import type { SourceContext } from '../sources/source.ts'
import { originOf, Description } from './artifact.ts'
import type { BundleDeps } from './deps.ts'
import { createKit } from './kit.ts'
import { missing } from './needs.ts'
import type { RegisteredCollector } from './types.ts'
import { sourceContext } from './source-context.ts'
import type { BundleRequest } from './types.ts'

export interface PlannedCollector {
  readonly id: string
  readonly tier: Tier
  readonly title: string
  /** Why it will be skipped. */
  readonly missing?: string
}

export interface PlanRow extends PlannedCollector {
  readonly onDemand: boolean
  /** Where its entries would come from. */
  readonly reads: readonly string[]
}

export function planOf(
  collectors: readonly RegisteredCollector[],
  ctx: Pick<SourceContext, 'root' | 'path'>,
): PlannedCollector[] {
  return collectors.map(({ id, collector }) => {
    const absent = missing(collector.needs, ctx)
    return { id, tier: collector.tier, title: collector.title, ...(absent === undefined ? {} : { missing: absent }) }
  })
}

/** Describing may look and run small commands, but opens no source. One collector gets this long. */
const DESCRIBE_MS = 10_000

/** Enough to see what a collector is about. */
const MOST_READS = 500

/** The dry run: every collector describes, nothing is read. */
export async function planBundle(deps: BundleDeps, request: BundleRequest): Promise<PlanRow[]> {
  const abort = new AbortController()
  const source = sourceContext(request, deps, abort.signal)
  const kit = createKit({ request, deps, source })
  try {
    return await Promise.all(
      deps.collectors.map(async (registered) => {
        const plan = planOf([registered], source)[0]!
        const { collector } = registered
        const reads = plan.missing === undefined ? await readsOf(registered, kit, abort.signal) : []
        return { ...plan, onDemand: collector.onDemand ?? false, reads }
      }),
    )
  } finally {
    abort.abort(new Error('the plan is made'))
  }
}

async function readsOf({ collector }: RegisteredCollector, kit: Kit, signal: AbortSignal): Promise<string[]> {
  const reads: string[] = []
  const describe = async (): Promise<void> => {
    for await (const artifact of collector.collect(kit)) {
      if (artifact instanceof Description) reads.push(originOf(artifact.source))
      if (reads.length >= MOST_READS) break
    }
  }
  try {
    await patiently(describe(), 'describing', { ms: DESCRIBE_MS, signal })
  } catch (error) {
    reads.push(`(broke off: ${error instanceof Error ? error.message : String(error)})`)
  }
  return [...new Set(reads)]
}
