/**
 * `npm run docs`: writes the parts of the docs that the code knows better, between markers:
 *
 *     <!-- generated: NAME -->
 *     <!-- /generated -->
 *
 * test/docs/generated.test.ts fails when one is out of date.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { loadRegistry } from '../src/collect/registry.ts'
import { TIERS, type RegisteredCollector } from '../src/collect/types.ts'
import type { Needs } from '../src/collector.ts'
import { OWN_TYPES } from '../src/record/classify/own.ts'
import { ROWS } from '../src/record/classify/classify.ts'
import { RULES } from '../src/redact/rules.ts'
import { neverRead } from '../src/sources/never-read.ts'
import { shippedPackages, type Lock } from './licenses.ts'
import { metricsViews } from './database-views.ts'
import { metricsReference } from './metrics-tables.ts'

/** Documents with generated parts. */
const DOCUMENTS = [
  'README.md',
  'docs/collectors.md',
  'docs/event-types.md',
  'docs/licenses.md',
  'docs/look-dont-touch.md',
  'docs/databases.md',
  'docs/metrics.md',
  'docs/security.md',
]

export interface RenderedDocument {
  /** From the top of the repository. */
  readonly path: string
  readonly before: string
  readonly after: string
}

/** Every document with generated parts, as it is and as it should be. */
export async function renderDocuments(): Promise<RenderedDocument[]> {
  const collectors = await builtInCollectors()
  const parts = {
    collectors: collectorsTable(collectors),
    'collectors-reference': collectorsReference(collectors),
    'event-types': eventTypesTable(),
    metrics: metricsReference(table),
    'metrics-views': metricsViews(table),
    'never-read': neverReadTable(),
    rules: rulesTable(),
    licenses: licensesTable(JSON.parse(await readFile(placeOf('package-lock.json'), 'utf8')) as Lock),
  }
  return Promise.all(
    DOCUMENTS.map(async (path) => {
      const before = await readFile(placeOf(path), 'utf8')
      return { path, before, after: withParts(before, parts) }
    }),
  )
}

/** @throws Error naming a marker that nothing is generated for, or that is not closed. */
export function withParts(text: string, parts: Readonly<Record<string, string>>): string {
  const [start = '', ...rest] = text.split(/^<!-- generated: /m)
  const filled = rest.map((after) => {
    const [, name, tail] = /^([a-z-]+) -->\n(?:[^]*?\n)??<!-- \/generated -->\n([^]*)$/.exec(after) ?? []
    if (name === undefined) throw new Error(`a marker is not closed: ${JSON.stringify(after.slice(0, 40))}`)
    if (parts[name] === undefined) throw new Error(`there is no generated part "${name}"`)
    return `<!-- generated: ${name} -->\n${parts[name]}<!-- /generated -->\n${tail}`
  })
  return start + filled.join('')
}

/** Without drop-ins: what this machine's administrator added is not in the docs. */
async function builtInCollectors(): Promise<readonly RegisteredCollector[]> {
  const nowhere = placeOf('docs/no-such-folder')
  return (await loadRegistry(nowhere, 0)).collectors
}

function collectorsTable(collectors: readonly RegisteredCollector[]): string {
  return table(
    ['collector', 'gathers'],
    collectors.map(({ id, collector: { title, onDemand } }) => [
      code(id),
      onDemand ? `${title}; only by ${code(`--only ${id}`)}` : title,
    ]),
  )
}

/** In the order of the bundle. */
function collectorsReference(collectors: readonly RegisteredCollector[]): string {
  const ordered = TIERS.flatMap((tier) => collectors.filter(({ collector }) => collector.tier === tier))
  return table(
    ['id', 'tier', 'needs', 'on demand', 'title'],
    ordered.map(({ id, collector: { tier, needs, onDemand, title } }) => [
      code(id),
      tier,
      needsText(needs),
      onDemand ? 'yes' : '',
      title,
    ]),
  )
}

function needsText({ command, file, unit, module }: Needs = {}): string {
  const needs = { command, file, unit, module }
  return Object.entries(needs)
    .filter(([, value]) => value !== undefined)
    .map(
      ([kind, value]) =>
        `${kind} ${[value ?? []]
          .flat()
          .map(code)
          .join(kind === 'module' ? ' or ' : ', ')}`,
    )
    .join('; ')
}

/** One row per reason, in the order of the list. */
function neverReadTable(): string {
  const byReason = Map.groupBy(neverRead, ({ reason }) => reason)
  return table(
    ['never read', 'why'],
    [...byReason].map(([reason, rows]) => [rows.map(({ pattern }) => code(pattern)).join(', '), reason]),
  )
}

/** By type; of one that several rows make, each with its meaning. */
function eventTypesTable(): string {
  const told = ROWS.map(({ type, level, source, title, subject, example }) => [
    code(type),
    level,
    source,
    title,
    [subject ?? []].flat().map(code).join(' or '),
    code(shortened(example['MESSAGE'] ?? '')),
  ])
  const own = Object.entries(OWN_TYPES).map(([type, { level, source, title, subject }]) => [
    code(type),
    level,
    source,
    title,
    subject,
    '',
  ])
  const rows = [...told, ...own].sort(([a], [b]) => (a! < b! ? -1 : a! > b! ? 1 : 0))
  return table(['type', 'level', 'source', 'means', 'subject', 'from a line like'], rows)
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

function rulesTable(): string {
  return table(
    ['id', 'masks'],
    RULES.map(({ id, title }) => [code(id), title]),
  )
}

function licensesTable(lock: Lock): string {
  return table(
    ['package', 'version', 'licence'],
    shippedPackages(lock).map(({ name, version, license, direct }) => [
      direct ? `**${name}**` : name,
      version,
      license,
    ]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

function code(text: string): string {
  return `\`${text}\``
}

function placeOf(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

if (import.meta.main) {
  for (const { path, before, after } of await renderDocuments()) {
    if (before === after) continue
    await writeFile(placeOf(path), after)
    console.log(`${path} written`)
  }
}
