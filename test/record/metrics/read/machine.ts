/** Machines that were recorded, and trees that a test makes itself. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Space } from '../../../../src/record/metrics/read/mounts.ts'
import { createSampler, type SamplerOptions } from '../../../../src/record/metrics/sampler.ts'
import type { Reading, ReadingRow, Subject } from '../../../../src/record/metrics/metric.ts'
import { temporaryFolder } from '../../../helpers/commands.ts'

export type Recorded = 'cgroup-v1' | 'cgroup-v2' | 'gvisor' | 'arm64'

export function recorded(name: Recorded): string {
  return join(import.meta.dirname, '../../../fixtures/metrics', name)
}

/** A folder with these files in it. */
export function treeOf(files: Readonly<Record<string, string | Buffer>>): string {
  const root = temporaryFolder()
  addTo(root, files)
  return root
}

export function addTo(root: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** Nothing is pressed. */
export const NEVER = { cpu: 101, memory: 101, io: 101 }

/** A sampler of a tree, in which each mount is of 1000 blocks, and whose clocks go on by 10 s for each sample. */
export function samplerOf(root: string, options: Partial<SamplerOptions> = {}) {
  let seconds = 0
  const clock = () => {
    seconds += 10
    return { timeMs: 1_700_000_000_000 + seconds * 1000, monotonicMs: seconds * 1000, boottimeMs: seconds * 1000 }
  }
  return createSampler({ root, intervalMs: 10_000, pressure: NEVER, statfs: () => stats, clock, ...options })
}

export function readingOf(root: string, options: Partial<SamplerOptions> = {}): Reading {
  return samplerOf(root, options).sample().reading
}

export const stats: Space = { bsize: 4096, blocks: 1000, bfree: 600, bavail: 500, files: 100, ffree: 70 }

export function rowsOf({ rows }: Pick<Reading, 'rows'>, subject: Subject): readonly ReadingRow[] {
  return rows.filter((row) => row.subject === subject)
}

export function hostOf(reading: Pick<Reading, 'rows'>): ReadingRow {
  return rowsOf(reading, 'host')[0]!
}

export function rowOf(reading: Pick<Reading, 'rows'>, subject: Subject, value: string): ReadingRow | undefined {
  return rowsOf(reading, subject).find(({ labels }) => Object.values(labels).includes(value))
}
