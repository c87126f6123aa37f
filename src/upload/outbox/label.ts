/** What the main thread has to know of uploads.db. */
import type { Label } from '../../record/store/book.ts'

export const UPLOADS_LABEL: Label = {
  name: 'uploads',
  fileName: 'uploads.db',
  words: { database: 'The database of uploads', kept: 'Uploads', units: 'uploads' },
}
