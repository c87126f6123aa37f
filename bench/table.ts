export interface Row {
  readonly what: string
  readonly measured: string
  /** What was promised, or what the figure is beside. */
  readonly beside: string
}

export function printTable(rows: readonly Row[]): void {
  const columns = ['what', 'measured', 'beside'] as const
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => row[column].length)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index]!)).join(' | ')} |`
  console.log(line(columns))
  console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  for (const row of rows) console.log(line(columns.map((column) => row[column])))
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

/** The median, and the least and the greatest behind it. */
export function spread(values: readonly number[], unit: string, digits = 0): string {
  const [least, middle, most] = [Math.min(...values), median(values), Math.max(...values)].map((value) =>
    value.toFixed(digits),
  )
  return `${middle} ${unit} (${least} to ${most})`
}
