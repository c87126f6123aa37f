/** A redactor for events that come now and then: between them its thread may end, and the secrets it knows are read anew. */
import type { RedactionDeps } from '../../collect/redaction.ts'
import type { RedactorOptions } from '../../redact/configured.ts'
import { withinBounds } from '../../redact/live.ts'
import type { BundleRedactor } from '../../redact/service.ts'

type Deps = Pick<RedactionDeps, 'service' | 'nodeKey' | 'values'> & {
  readonly settings: Pick<RedactorOptions, 'names' | 'userRules'>
}

/** So long the secrets that the configuration names are taken for known, and the thread for needed. */
const REST_MS = 30_000

interface Lease {
  readonly redactor: Promise<BundleRedactor>
  users: number
  over: boolean
}

/** Masking rejects where a file of secrets cannot be read: what stands in it would be kept. */
export function createRestingRedactor(deps: Deps, restMs = REST_MS): Pick<BundleRedactor, 'whole'> {
  let lease: Lease | undefined
  const begin = (): Lease => {
    const begun = { redactor: open(deps), users: 0, over: false }
    const end = () => {
      begun.over = true
      if (lease === begun) lease = undefined
      closeUnused(begun)
    }
    begun.redactor.catch(end)
    setTimeout(end, restMs).unref()
    return begun
  }
  return {
    async whole(bytes) {
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

async function open({ service, nodeKey, settings, values }: Deps): Promise<BundleRedactor> {
  const { values: live, left } = withinBounds(await values())
  if (left > 0) throw new Error(`the files of secrets hold ${left} values more than can be looked for`)
  return service.open({ key: nodeKey.bytes, live, ...settings })
}

function closeUnused({ over, users, redactor }: Lease): void {
  if (over && users === 0) redactor.then((one) => one.close()).catch(() => {})
}
