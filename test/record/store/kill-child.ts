/** Puts events into the store in the folder it is given, as fast as it takes them, and says which were acknowledged. */
import { writeSync } from 'node:fs'
import { createEventStore } from '../../../src/record/events/store.ts'

const [, , folder, round] = process.argv
const store = createEventStore({ folder: folder!, bootId: `boot-${round}`, maxAgeMs: 1e14 })

/** Writers that do not wait for each other: groups of events from several are in one commit. */
await Promise.all(
  Array.from({ length: 8 }, async (_, writer) => {
    for (let count = 0; ; count++) {
      const events = Array.from({ length: 1 + (count % 20) }, (_, index) => `${round}/${writer}/${count}/${index}`)
      const ids = await store.append(
        events.map((message) => ({
          timeMs: Date.now(),
          bootId: `boot-${round}`,
          source: 'api',
          type: 'test.kill',
          level: 'info',
          subject: '',
          message,
          detail: { filler: 'x'.repeat(500) },
        })),
        { name: `writer-${writer}`, value: `${round}/${count}` },
      )
      // At once and as one write: what stands here was acknowledged.
      writeSync(1, events.map((message, index) => `${ids[index]} ${message}\n`).join(''))
    }
  }),
)
