/** What triggers wanted and did not get: counted, and told in sums. */
import type { FamilySample } from '../../record/metrics/families.ts'
import type { Trigger } from '../upload.ts'
import type { Due } from './due.ts'
import { HOLDS, type Hold } from './limits.ts'

/** A unit that fails every second is one event in so long. */
const SUM_MS = 5 * 60_000

interface Sum {
  readonly firstMs: number
  readonly counts: Map<Hold, number>
  lastReason: string
}

const WORDS: Readonly<Record<Hold, string>> = {
  debounce: 'so soon after the one before',
  cap: 'over the number of a day',
  burst: 'in a bundle that is about to be made',
  store: 'the outbox does not take it',
}

export class HeldBack {
  readonly #say: (trigger: Trigger, message: string, detail: Readonly<Record<string, unknown>>) => void
  readonly #sums = new Map<Trigger, Sum>()
  readonly #totals = new Map<Trigger, Map<Hold, number>>()

  constructor(say: (trigger: Trigger, message: string, detail: Readonly<Record<string, unknown>>) => void) {
    this.#say = say
  }

  add({ trigger, reason }: Due, hold: Hold, nowMs: number): void {
    const sum = this.#sums.get(trigger) ?? { firstMs: nowMs, counts: new Map(), lastReason: reason }
    sum.lastReason = reason
    count(sum.counts, hold)
    this.#sums.set(trigger, sum)
    const totals = this.#totals.get(trigger) ?? new Map()
    count(totals, hold)
    this.#totals.set(trigger, totals)
  }

  /** Says the sums that are old enough; all of them with Infinity. */
  tell(nowMs: number): void {
    for (const [trigger, { firstMs, counts, lastReason }] of this.#sums) {
      // A clock that was set back holds nothing up.
      if (nowMs >= firstMs && nowMs - firstMs < SUM_MS) continue
      this.#sums.delete(trigger)
      const parts = HOLDS.flatMap((hold) => (counts.has(hold) ? [`${counts.get(hold)} ${WORDS[hold]}`] : []))
      const message = `no bundle of their own for ${parts.join(', ')}; the last: ${lastReason}`
      this.#say(trigger, message, Object.fromEntries(counts))
    }
  }

  samples(): readonly FamilySample[] {
    return Array.from(this.#totals, ([trigger, totals]) =>
      Array.from(totals, ([why, value]) => ({ labels: { trigger, why }, value })),
    ).flat()
  }
}

function count(counts: Map<Hold, number>, hold: Hold): void {
  counts.set(hold, (counts.get(hold) ?? 0) + 1)
}
