/** `diagd list`: the collectors, whether they can run here, and what they would read. Nothing is collected. */
import { planBundle } from '../collect/plan.ts'
import type { PlanRow } from '../collect/plan.ts'
import { parseBundleRequest } from '../collect/request.ts'
import { forTerminal } from '../terminal.ts'
import { prepare } from './engine.ts'
import { EXIT, print, sayProblems } from './io.ts'
import type { Io } from './io.ts'

export async function list(io: Io): Promise<number> {
  const { config, deps, problems } = await prepare(io)
  const request = parseBundleRequest({}, { nowMs: Date.now(), collectorIds: [], defaults: config.limits })
  const rows = await planBundle(deps, request)
  sayProblems(io, problems)
  await print(io.stdout, `${planTable(rows).join('\n')}\n`)
  return EXIT.whole
}

/** One line per collector, and below it, indented, what it reads. */
export function planTable(rows: readonly PlanRow[]): string[] {
  const head = ['ID', 'TIER', 'AVAILABLE', 'TITLE']
  const cells = rows.map((row) => [row.id, row.tier, availability(row), row.title].map(forTerminal))
  const widths = [0, 1, 2].map((column) =>
    Math.max(...[head, ...cells].map((line) => Math.min(line[column]!.length, 40))),
  )
  const align = (line: readonly string[]) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const lines = [align(head)]
  for (const [index, row] of rows.entries()) {
    lines.push(align(cells[index]!), ...row.reads.map((origin) => `    ${forTerminal(origin)}`))
  }
  return lines
}

function availability({ missing, onDemand, id }: PlanRow): string {
  if (missing !== undefined) return `no: ${missing}`
  return onDemand ? `by --only ${id}` : 'yes'
}
