/** The `containers` key: what is kept of containers. */
import { z } from 'zod'
import { sizeBetween } from './amounts.ts'
import { mappingOf, parsed } from './parsed.ts'

export interface ContainersConfig {
  /** Of the log of one container, and of all of them; compressed. */
  readonly maxLogBytes: number
  readonly maxBytes: number
  /** Containers that are gone, of which something is kept. */
  readonly maxRemoved: number
  /** Of one container, by the times of its lines. More is counted and marked. */
  readonly floodBytesPerSecond: number
}

/** What a message says is accepted. */
export const CONTAINERS_ACCEPTS =
  '"none", or a mapping {maxLogSize: SIZE (1MiB to 4GiB, default 16MiB), maxSize: SIZE (16MiB to 64GiB, default 256MiB), ' +
  'keepRemoved: NUMBER (0 to 10000, default 1000), flood: SIZE (a second; 64KiB to 256MiB, default 8MiB)}'

const schema = z.strictObject({
  maxLogSize: parsed(sizeBetween('1MiB', '4GiB')).prefault('16MiB'),
  maxSize: parsed(sizeBetween('16MiB', '64GiB')).prefault('256MiB'),
  keepRemoved: z.int('is not a whole number').min(0, 'is less than 0').max(10_000, 'is more than 10000').prefault(1000),
  flood: parsed(sizeBetween('64KiB', '256MiB')).prefault('8MiB'),
})

/** @throws Error that names the wrong part. */
export function parseContainersKey(value: unknown): ContainersConfig | 'none' {
  if (value === 'none') return value
  const { maxLogSize, maxSize, keepRemoved, flood } = mappingOf(schema, value)
  if (maxLogSize > maxSize)
    throw new Error('has a wrong part: maxLogSize is more than maxSize, which is for all of them')
  return { maxLogBytes: maxLogSize, maxBytes: maxSize, maxRemoved: keepRemoved, floodBytesPerSecond: flood }
}
