/** What diagd counts of itself, besides what a reading has of its process. Labels have closed sets of values: nothing grows. */
import type { Family, FamilySample } from './families.ts'

/** Numbers that are asked for at every scrape; undefined: not known now, and not told. */
type Ask = () => number | readonly FamilySample[] | undefined

export interface OwnMetrics {
  /** @returns what adds to it; from the first time on the label is told. */
  counter(name: string, help: string): (labels: Readonly<Record<string, string>>, by?: number) => void
  ask(kind: Family['kind'], name: string, help: string, ask: Ask): void
  families(): Family[]
}

export function createOwnMetrics(): OwnMetrics {
  const asked: (Omit<Family, 'samples'> & { readonly ask: Ask })[] = []
  const ask: OwnMetrics['ask'] = (kind, name, help, ask) => void asked.push({ kind, name, help, ask })
  return {
    ask,
    counter(name, help) {
      const samples = new Map<string, { labels: FamilySample['labels']; value: number }>()
      ask('counter', name, help, () => Array.from(samples.values(), ({ labels, value }) => ({ labels, value })))
      return (labels, by = 1) => {
        const key = JSON.stringify(labels)
        const sample = samples.get(key) ?? { labels, value: 0 }
        samples.set(key, sample)
        sample.value += by
      }
    },
    families() {
      const told = asked.map(({ kind, name, help, ask }) => ({ kind, name, help, samples: samplesOf(ask()) }))
      return told.filter(({ samples }) => samples.length > 0)
    },
  }
}

function samplesOf(told: ReturnType<Ask>): readonly FamilySample[] {
  if (typeof told === 'number') return [{ labels: {}, value: told }]
  return told ?? []
}
