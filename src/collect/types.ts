/** What is asked for, what comes of it, and how it is told while it runs. */
import type { Format } from '../archive/codec.ts'
import type { WrittenFile } from '../archive/entry.ts'
import type { Collector, Outcome, Tier } from '../collector.ts'
import type { Recipients } from '../config/recipients.ts'

export type { Format } from '../archive/codec.ts'
export type { Sink } from '../archive/output.ts'

/** Every limit, bytes uncompressed and milliseconds; docs/bundle.md lists the defaults. `Infinity` = none. */
export interface Limits {
  readonly entryBytes: number
  readonly collectorBytes: number
  readonly bundleBytes: number
  readonly commandMs: number
  readonly stallMs: number
  /** Entries of one collector. */
  readonly entries: number
}

export interface BundleRequest {
  readonly only: readonly string[] | undefined
  readonly skip: readonly string[]
  /** Epoch milliseconds. */
  readonly sinceMs: number
  readonly untilMs: number
  readonly format: Format
  /** 1 (fast) … 9 (small); ignored for plain tar. */
  readonly compression: number
  readonly limits: Limits
  /** Whom the bundle is encrypted to; nobody: it is not. */
  readonly recipients: Recipients
  /** Addresses, host and user names become pseudonyms. */
  readonly pseudonymize: boolean
  /** Nothing is masked: `diagd collect --unmasked` alone can wish for that. */
  readonly unmasked: boolean
}

export interface RegisteredCollector {
  /** File name, folder in the bundle, name in every flag and manifest row. Of extras: `extras/<conf name>`. */
  readonly id: string
  readonly collector: Collector
}

/** One row of manifest.json. */
export interface ManifestRow {
  /** Path below the bundle's top folder. */
  path: string
  collector: string
  tier: Tier
  outcome: Outcome
  /** A sentence, for every outcome but ok. */
  detail?: string
  /** Uncompressed bytes in the archive, over all parts. */
  sizeBytes: number
  /** Bytes known to be missing at the hole or end that `detail` describes. */
  cutBytes?: number
  /** Secrets that were replaced. */
  maskedCount: number
  /** The same by rule. */
  masked?: Readonly<Record<string, number>>
  /** The path, command line or URL it came from. */
  origin?: string
  sha256?: string
  /** Of a file with spliced segments, instead of its SHA-256: see `WrittenFile`. */
  crc32?: string
  segments?: WrittenFile['segments']
  /** Set where the entry was written in more than one file: `cat` them in this order. */
  parts?: WrittenFile[]
  /** The `.error.txt` that explains it. */
  error?: string
  durationMs: number
  mtime?: string
}

export type ProgressEvent =
  | { type: 'plan'; collectors: readonly { id: string; tier: Tier; missing?: string }[] }
  | { type: 'collector'; id: string; state: 'running' | 'done' | 'skipped'; detail?: string }
  /** The work on an entry; a collector is done describing before its entries are done. */
  | { type: 'work'; collector: string; path: string; state: 'running' | 'done' }
  | { type: 'bytes'; collector: string; bytes: number }
  | { type: 'entry'; row: ManifestRow }

export interface BundleResult {
  /** Also the name of the top folder and of the file without its extension. */
  readonly bundleId: string
  /** `whole`: nothing but ok and skipped entries. */
  readonly outcome: 'whole' | 'partial'
  readonly rows: readonly ManifestRow[]
  readonly bytesIn: number
  readonly bytesOut: number
  readonly durationMs: number
}

/** The order of the bundle. */
export const TIERS: readonly Tier[] = ['facts', 'state', 'logs', 'bulk']
