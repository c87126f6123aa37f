/** A question to a database of uploads. */
import { workerData } from 'node:worker_threads'
import { answerFrom } from '../../sources/sqlite-answer.ts'
import { uploadsBook } from '../outbox/book.ts'
import type { ReadOnlyQuestion } from './read-only.ts'

const { name, filter } = workerData as ReadOnlyQuestion
answerFrom(name, (db) => uploadsBook.reads.list(db, filter))
