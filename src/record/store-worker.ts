/** The thread of the databases: neither an fsync on a bad disk nor the deletion of what is old holds anybody else. */
import { parentPort } from 'node:worker_threads'
import { uploadsBook } from '../upload/outbox/book.ts'
import { eventsBook } from './events/book.ts'
import { metricsBook } from './metrics/database/book.ts'
import { createSampling } from './metrics/sampling.ts'
import { hostBooks } from './store/host.ts'

hostBooks(parentPort!, [eventsBook, metricsBook, uploadsBook], { metrics: createSampling })
