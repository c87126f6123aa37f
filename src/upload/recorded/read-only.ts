/** Reads the database of uploads that another process keeps, or kept. */
import type { RecordedContext } from '../../collect/recorded.ts'
import type { RecordedUploadsFilter } from '../../collect/recorded-uploads.ts'
import { askedInThread } from '../../sources/sqlite-questions.ts'
import type { UploadRecord } from '../upload.ts'

export interface ReadOnlyQuestion {
  /** Of the database, as SQLite is told it. */
  readonly name: string
  readonly filter: RecordedUploadsFilter
}

/** Rejects with a SourceError that says why not: `skipped` where there is no database. */
export function listReadOnly(
  path: string,
  filter: RecordedUploadsFilter,
  ctx: RecordedContext,
): Promise<readonly UploadRecord[]> {
  const question: Omit<ReadOnlyQuestion, 'name'> = { filter }
  return askedInThread(path, new URL('uploads-read-only-worker.ts', import.meta.url), question, ctx)
}
