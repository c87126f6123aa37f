import { parentPort } from 'node:worker_threads'
import { eventsBook } from '../../../src/record/events/book.ts'
import { hostBooks } from '../../../src/record/store/host.ts'
import { notesBook } from './notes.ts'

hostBooks(parentPort!, [eventsBook, notesBook])
