import type { Collector } from '../src/collector.ts'
import { eventsText } from './lib/events-text.ts'

/** What a person reads of it; the database has all. */
const NEWEST = 500

export default {
  title: 'What happened here, across boots, as diagd recorded it: a table of the newest events, and the database',
  tier: 'facts',
  async *collect({ events, host, text }) {
    yield text('recent.txt', async () => eventsText(await events.newest({ limit: NEWEST }), host.bootId))
    yield events.database().in('logs')
    for (const database of await events.setAside()) yield database.in('bulk')
  },
} satisfies Collector
