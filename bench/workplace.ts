/** Where the generated sources are, and a configuration whose extras name them. */
export interface Workplace {
  readonly folder: string
  readonly logs: string
  readonly megabytes: number
  /** Environment of a diagd that finds its configuration, state and socket here only. */
  readonly environment: Record<string, string>
  readonly socket: string
  /** A public key of age. */
  readonly recipient: string
}
