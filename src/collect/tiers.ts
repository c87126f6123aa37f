/**
 * The order of the bundle: tier after tier, side by side within one. A tier ends when each of its entries is written or
 * late; a late one goes on and is written whenever it is done.
 */
import type { Artifact, Tier } from '../collector.ts'
import { SourceError } from '../sources/source.ts'
import { patiently } from '../sources/patience.ts'
import { Description } from './artifact.ts'
import { addRow, LATE_MS, writeEntry, type EntryJob } from './entry.ts'
import { expand } from './expand.ts'
import { createKit, maskedKit } from './kit.ts'
import { missing } from './needs.ts'
import { Patience } from './patience.ts'
import type { RegisteredCollector } from './types.ts'
import type { BundleRun } from './run.ts'
import { TIERS } from './types.ts'

/**
 * Runs the collectors; resolves when every entry, late ones too, is in the archive. When the stream fails it ends all of
 * them, and rejects once nothing of them is left.
 */
export async function runTiers(collectors: readonly RegisteredCollector[], run: BundleRun): Promise<void> {
  const tiers = new Tiers(run)
  try {
    for (const tier of TIERS)
      await tiers.run(
        tier,
        collectors.filter(({ collector }) => collector.tier === tier),
      )
    await tiers.rest()
  } catch (error) {
    run.abort(error)
    await tiers.settled()
    throw error
  }
}

class Tiers {
  readonly #run: BundleRun
  /** Everything under way; a failure in it is a failure of the whole stream. */
  readonly #underWay = new Set<Promise<void>>()
  readonly #deferred: EntryJob[] = []
  /** What the present tier waits for: done or late. */
  #barrier: Promise<void>[] = []
  #tier: Tier = 'facts'

  constructor(run: BundleRun) {
    this.#run = run
  }

  async run(tier: Tier, collectors: readonly RegisteredCollector[]): Promise<void> {
    this.#tier = tier
    for (const registered of collectors) this.#start((late) => this.#collect(registered, late))
    const due = this.#deferred.filter((job) => job.tier === tier)
    for (const job of due) {
      this.#deferred.splice(this.#deferred.indexOf(job), 1)
      await this.#dispatch(job)
    }
    // Entries are added while the collectors still describe them.
    while (this.#barrier.length > 0) await Promise.all(this.#barrier.splice(0))
  }

  async rest(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
    // A collector that was late may have described entries for tiers that are over.
    while (this.#deferred.length > 0) await this.#dispatch(this.#deferred.shift()!)
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  /** Starts work that holds the tier until it is done or calls `late`. */
  #start(work: (late: () => void) => Promise<void>): void {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const done = work(resolve).finally(() => this.#underWay.delete(done))
    this.#underWay.add(done)
    const barrier = Promise.race([done, late])
    // Awaited at the end of the tier or of all; until then not an unhandled rejection.
    barrier.catch(() => {})
    done.catch(() => {})
    this.#barrier.push(barrier)
  }

  /** Waits for a place, then writes the entry without waiting for its end. */
  async #dispatch(job: EntryJob): Promise<void> {
    if (TIERS.indexOf(job.tier) > TIERS.indexOf(this.#tier)) {
      this.#deferred.push(job)
      return
    }
    const place = await this.#run.slots.take()
    if (this.#run.source.signal.aborted) {
      // Whoever waits behind this one has to learn it, too.
      place.release()
      throw this.#run.source.signal.reason
    }
    const work = { type: 'work', collector: job.collector, path: job.plan.path } as const
    this.#start(async (late) => {
      this.#run.onProgress({ ...work, state: 'running' })
      try {
        await writeEntry(job, this.#run, () => {
          place.late()
          late()
        })
      } finally {
        place.release()
        this.#run.onProgress({ ...work, state: 'done' })
      }
    })
  }

  async #collect({ id, collector }: RegisteredCollector, late: () => void): Promise<void> {
    const run = this.#run
    const absent = missing(collector.needs, run.source)
    if (absent !== undefined) {
      run.onProgress({ type: 'collector', id, state: 'skipped', detail: absent })
      return this.#note(id, collector.tier, 'skipped', absent)
    }
    run.onProgress({ type: 'collector', id, state: 'running' })
    const before = run.rows.length
    try {
      await this.#describe({ id, collector }, late)
    } catch (error) {
      run.source.signal.throwIfAborted()
      const outcome = error instanceof SourceError ? error.outcome : 'failed'
      const message = error instanceof Error ? error.message : String(error)
      const entries = run.rows.slice(before).filter((row) => row.collector === id).length
      const detail = `the collector broke off after ${entries} finished entries: ${message}`
      await this.#note(id, collector.tier, outcome, detail, error instanceof SourceError ? undefined : stackOf(error))
    }
    run.onProgress({ type: 'collector', id, state: 'done' })
  }

  async #describe({ id, collector }: RegisteredCollector, late: () => void): Promise<void> {
    const { request, source } = this.#run
    const patience = new Patience(LATE_MS, late)
    const kit = maskedKit(createKit(this.#run), (text) => this.#run.redaction.look(text))
    const pause = { ms: request.limits.commandMs, signal: source.signal }
    const steps = iterate(collector.collect(kit))
    let entries = 0
    try {
      for (;;) {
        const step = await patience.wait(() =>
          patiently((async () => steps.next())(), 'the next step of the collector', pause),
        )
        if (step.done) return
        for (const plan of await patience.wait(() => expand(asDescription(step.value), source))) {
          if (++entries > request.limits.entries) {
            throw new SourceError('partial', `more than ${request.limits.entries} entries; the rest is left out`)
          }
          await this.#dispatch({ collector: id, tier: plan.description.tier ?? collector.tier, plan })
        }
      }
    } finally {
      // Not awaited: a collector that never returns must not hold the bundle.
      Promise.resolve(steps.return?.()).catch(() => {})
    }
  }

  /** A row for the collector as a whole. */
  async #note(id: string, tier: Tier, outcome: SourceError['outcome'], detail: string, stderr?: string): Promise<void> {
    const row = {
      path: `${id}/collector`,
      collector: id,
      tier,
      outcome,
      detail,
      sizeBytes: 0,
      maskedCount: 0,
      durationMs: 0,
    }
    await addRow({ ...row, origin: `collector ${id}` }, this.#run, { outcome, detail, ...(stderr ? { stderr } : {}) })
  }
}

function iterate(
  artifacts: AsyncIterable<Artifact> | Iterable<Artifact>,
): AsyncIterator<Artifact> | Iterator<Artifact> {
  if (Symbol.asyncIterator in artifacts) return artifacts[Symbol.asyncIterator]()
  return artifacts[Symbol.iterator]()
}

function asDescription(artifact: Artifact): Description {
  if (artifact instanceof Description) return artifact
  throw new TypeError('a collector has to yield what its kit made: command, file, files, logs, journal, json, text, …')
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined
}
