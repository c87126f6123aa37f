/** Removes what tries that broke off may have left at the target: at the start, and of rows that nobody tries again. */
import type { Outbox } from '../outbox/outbox.ts'
import type { AbortStale, UploadFailure, UploadRecord } from '../upload.ts'
import type { Telling } from './telling.ts'

export interface LeftoversOptions {
  readonly outbox: Pick<Outbox, 'left' | 'removed'>
  readonly abortStale: AbortStale
  readonly telling: Pick<Telling, 'left'>
  readonly closing: AbortSignal
}

export interface Leftovers {
  /** Those of which something may be left are removed next. */
  add(records: readonly UploadRecord[]): void
  /** Something may be left. */
  readonly waiting: boolean
  /** All there is. What could not be removed is said, and waits for the next start. @throws StoreError */
  remove(): Promise<void>
  /** Something goes first; the rest is removed later. */
  interrupt(): void
}

/** Nothing is sent meanwhile: a target that takes longer gets its bundles first. */
const MOST_MS = 60_000

interface Left extends UploadRecord {
  readonly key: string
  readonly multipartId: string
}

export function createLeftovers({ outbox, abortStale, telling, closing }: LeftoversOptions): Leftovers {
  const waiting = new Map<number, Left>()
  let isKnown = false
  let going: AbortController | undefined
  const add = (records: readonly UploadRecord[]) => {
    for (const record of records) if (isLeft(record)) waiting.set(record.id, record)
  }
  return {
    add,
    get waiting() {
      return !isKnown || waiting.size > 0
    },
    async remove() {
      // Those that wait for a try, too: it may be hours away.
      if (!isKnown) add(await outbox.left())
      isKnown = true
      if (waiting.size === 0) return
      going = new AbortController()
      const all = [...waiting.values()]
      const stales = all.map(({ key, multipartId }) => ({ key, multipartId }))
      const signal = AbortSignal.any([closing, going.signal, AbortSignal.timeout(MOST_MS)])
      const failures = await abortStale(stales, signal).catch(({ message }: Error) =>
        stales.map((): UploadFailure => ({ kind: 'internal', message, permanent: false })),
      )
      if (closing.aborted || going.signal.aborted) return
      for (const [index, { id, multipartId }] of all.entries())
        if (failures[index] === undefined) await outbox.removed(id, multipartId)
      waiting.clear()
      tell(all, failures, telling)
    },
    interrupt: () => going?.abort(),
  }
}

function isLeft(record: UploadRecord): record is Left {
  return record.multipartId !== undefined && record.key !== undefined
}

/** Each reason once: where nobody answers it is the same for all. */
function tell(
  all: readonly Left[],
  failures: readonly (UploadFailure | undefined)[],
  telling: LeftoversOptions['telling'],
): void {
  const failed = all.flatMap((record, index) => {
    const failure = failures[index]
    return failure ? [{ record, failure }] : []
  })
  for (const same of Map.groupBy(failed, ({ failure }) => failure.kind).values())
    telling.left(
      same.map(({ record }) => record),
      same[0]!.failure,
    )
}
