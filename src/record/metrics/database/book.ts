/** metrics.db, as src/record/store/ keeps it. */
import type { Book } from '../../store/book.ts'
import { METRICS_LABEL } from '../label.ts'
import { latest } from './latest.ts'
import { range } from './range.ts'
import { maintain, type RetentionSettings } from './retention.ts'
import { adapt, APPLICATION_ID, MIGRATIONS } from './schema.ts'
import { append, lastSample } from './write.ts'

export const metricsBook = {
  ...METRICS_LABEL,
  applicationId: APPLICATION_ID,
  migrations: MIGRATIONS,
  adapt,
  table: 'samples',
  reads: { range, latest, lastSample },
  writes: { append },
  maintain,
} satisfies Book<RetentionSettings>
