/** Puts samples and events into the databases in the folder it is given, in one thread, and says which were acknowledged. */
import { writeSync } from 'node:fs'
import { createEventStore } from '../../../../src/record/events/store.ts'
import { createMetricsStore } from '../../../../src/record/metrics/store.ts'
import { openStoreThread } from '../../../../src/record/store-thread.ts'
import { machine, MONDAY_MS } from '../../../helpers/samples.ts'

const [, , folder, round] = process.argv
const thread = openStoreThread()
const bootId = `boot-${round}`
const events = createEventStore({ folder: folder!, bootId, maxAgeMs: 1e14, thread })
const ages = { sampleAgeMs: 1e14, minuteAgeMs: 1e14 }
const metrics = createMetricsStore({ folder: folder!, thread, tell: events.tell, ...ages })

async function sample(): Promise<never> {
  const many = machine({ containers: 5, startMs: MONDAY_MS + Number(round) * 86_400_000 })
  for (;;) writeSync(1, `sample ${await metrics.append(many.next({ bootId }))}\n`)
}

async function tell(): Promise<never> {
  for (let count = 0; ; count++) {
    const message = `${round}/${count}`
    const event = { bootId, source: 'api', type: 'test.kill', level: 'info', subject: '', message } as const
    const [id] = await events.append([{ ...event, timeMs: Date.now() }])
    writeSync(1, `event ${id}\n`)
  }
}

await Promise.all([sample(), tell()])
