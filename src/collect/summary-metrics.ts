/** What summary.txt tells of what was measured: nothing where all was well. */
import { overviewOf, type OverviewKit } from '../../collectors/lib/metrics-overview/overview.ts'
import { remarksOf } from '../../collectors/lib/metrics-overview/remarks.ts'

/** The gravest; overview.txt has all. */
const MOST_LINES = 2

export async function standsOut(kit: OverviewKit): Promise<string[]> {
  const remarks = remarksOf(await overviewOf(kit))
  const lines = remarks.slice(0, MOST_LINES).map(({ what, said }) => `${what}: ${said}`)
  const more = remarks.length - lines.length
  if (lines.length === 0) return []
  return [...lines, `${more > 0 ? `… and ${more} more: ` : 'see '}metrics/overview.txt`]
}
