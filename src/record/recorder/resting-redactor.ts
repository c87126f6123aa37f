/** A redactor for events that come now and then: between them its thread may end, and the secrets it knows are read anew. */
import type { RedactionDeps } from '../../collect/redaction.ts'
import type { RedactorOptions } from '../../redact/configured.ts'
import { withinBounds } from '../../redact/live.ts'
import type { BundleRedactor } from '../../redact/service.ts'

type Deps = Pick<RedactionDeps, 'service' | 'nodeKey' | 'values' | 'seen'> & {
  readonly settings: Pick<RedactorOptions, 'names' | 'userRules'>
}

/** So long the secrets that the configuration names are taken for known, and the thread for needed; less when others are seen. */
const REST_MS = 30_000

interface Lease {
  readonly redactor: Promise<BundleRedactor>
  readonly version: number
  readonly end: () => void
  users: number
  over: boolean
}

/** Masking rejects where a file of secrets cannot be read: what stands in it would be kept. */
export function createRestingRedactor(deps: Deps, restMs = REST_MS): Pick<BundleRedactor, 'whole'> {
  let lease: Lease | undefined
  const begin = (): Lease => {
    const end = () => {
      clearTimeout(timer)
      begun.over = true
      if (lease === begun) lease = undefined
      closeUnused(begun)
    }
    const begun: Lease = { redactor: open(deps), version: deps.seen.version, end, users: 0, over: false }
    const timer = setTimeout(end, restMs).unref()
    begun.redactor.catch(end)
    return begun
  }
  return {
    async whole(bytes) {
      if (lease?.version !== deps.seen.version) lease?.end()
      const mine = (lease ??= begin())
      mine.users += 1
      try {
        return await (await mine.redactor).whole(bytes)
      } finally {
        mine.users -= 1
        closeUnused(mine)
      }
    },
  }
}

async function open({ service, nodeKey, settings, values, seen }: Deps): Promise<BundleRedactor> {
  const { values: named, left } = withinBounds(await values())
  if (left > 0) throw new Error(`the files of secrets hold ${left} values more than can be looked for`)
  const { values: live } = withinBounds([...named, ...seen.newest()])
  return service.open({ key: nodeKey.bytes, live, ...settings })
}

function closeUnused({ over, users, redactor }: Lease): void {
  if (over && users === 0) redactor.then((one) => one.close()).catch(() => {})
}
