import { describe, expect, test } from 'vitest'
import { CATALOGUE } from '../../../src/record/metrics/catalogue/index.ts'
import { LABELS } from '../../../src/record/metrics/catalogue/labels.ts'
import type { Metric, Named } from '../../../src/record/metrics/metric.ts'

/** The two that show numbers to others under a name and labels. */
const uses = ['prometheus', 'otel'] as const

describe('the catalogue of metrics', () => {
  test('names a number once in each subject, and so a column', () => {
    expect(repeated(CATALOGUE.map(({ subject, name }) => `${subject} ${name}`))).toEqual([])
    expect(repeated(CATALOGUE.flatMap(({ subject, kept }) => (kept ? [`${subject} ${kept.column}`] : [])))).toEqual([])
  })

  test('has a use for every number', () => {
    expect(CATALOGUE.filter(({ kept, prometheus, otel }) => !kept && !prometheus && !otel)).toEqual([])
  })

  test.each(uses)('says the same of all that share a name in %s, and tells them apart', (use) => {
    const families = Map.groupBy(named(use), ({ use }) => use.name)
    for (const [name, members] of families) {
      const facts = new Set(members.map(({ metric, use }) => JSON.stringify([metric.subject, metric.kind, use.help])))
      expect([name, facts.size]).toEqual([name, 1])
      if (members.length > 1) expect([name, members[0]?.use.help]).not.toContain(undefined)
      expect([name, repeated(members.map(({ use }) => JSON.stringify(use.labels)))]).toEqual([name, []])
    }
  })

  test('ends the names of counters in _total for Prometheus, but for what node_exporter and cAdvisor call otherwise', () => {
    const wrong = named('prometheus').filter(
      ({ metric, use }) => (metric.kind === 'counter') !== use.name.endsWith('_total'),
    )
    expect(wrong.map(({ use }) => use.name).filter((name) => !/^node_(netstat|vmstat)_/.test(name))).toEqual([
      'container_memory_failcnt',
    ])
  })

  test('uses names and labels that Prometheus takes', () => {
    for (const { metric, use } of named('prometheus')) {
      expect(use.name).toMatch(/^[a-z][a-zA-Z0-9_]*$/)
      const labels = [
        ...Object.keys(use.labels ?? {}),
        ...LABELS[metric.subject].map((label) => label.prometheus ?? '_'),
      ]
      expect(repeated(labels.filter((label) => label !== '_'))).toEqual([])
      for (const label of labels) expect(label).toMatch(/^[a-z_]+$/)
    }
  })

  test('compares counters only, and by counters of the same subject', () => {
    for (const { subject, kind, kept } of CATALOGUE) {
      if (!kept) continue
      expect([kept.column, kept.as === 'value']).toEqual([kept.column, kind === 'gauge'])
      if (typeof kept.as !== 'object') continue
      const { per } = kept.as
      expect(CATALOGUE.find((metric) => metric.subject === subject && metric.name === per)?.kind).toBe('counter')
    }
  })

  test('adds up what grows as a counter for OpenTelemetry', () => {
    for (const { metric, use } of named('otel'))
      expect([use.name, metric.otel?.instrument === 'counter']).toEqual([use.name, metric.kind === 'counter'])
  })
})

function named(use: (typeof uses)[number]): { metric: Metric; use: Named }[] {
  return CATALOGUE.flatMap((metric) => {
    const names = metric[use]
    return names ? [{ metric, use: names }] : []
  })
}

function repeated(names: readonly (string | undefined)[]): (string | undefined)[] {
  return names.filter((name, at) => names.indexOf(name) !== at)
}
