/** What logs are masked with: the rules, and the values that are known to be secret by now. */
import { createHash } from 'node:crypto'
import { secretVariables } from '../../../collect/live-values.ts'
import type { RedactionDeps } from '../../../collect/redaction.ts'
import { withinBounds } from '../../../redact/live.ts'
import { VERSION } from '../../../version.ts'
import { KnownValues } from '../keep/known-values.ts'
import type { MaskSettings } from '../thread/protocol.ts'
import type { Inspected } from './facts.ts'

export type SecretsDeps = Pick<RedactionDeps, 'nodeKey' | 'settings' | 'values'>

/** What a text was masked with, in short: whoever has the same need not mask it again. */
function rulesVersion(settings: Exclude<SecretsDeps['settings'], 'unknown'>): string {
  const { names = [], userRules = [] } = settings
  return createHash('sha256')
    .update(JSON.stringify([VERSION, names, userRules]))
    .digest('hex')
    .slice(0, 16)
}

export class Secrets {
  readonly #deps: SecretsDeps
  readonly #known: KnownValues
  readonly #setMask: (mask: MaskSettings) => void
  readonly #values = new Set<string>()

  /** `folder`: `<state>/containers`. */
  constructor(folder: string, deps: SecretsDeps, setMask: (mask: MaskSettings) => void) {
    this.#deps = deps
    this.#known = new KnownValues(folder, deps.nodeKey.bytes)
    this.#setMask = setMask
  }

  /** Reads what the configuration names. Rejects when that cannot be: then nothing may be stored, for it might be in it. */
  async refresh(): Promise<void> {
    if (this.#deps.settings === 'unknown') throw new Error('the configuration of the mask cannot be understood')
    this.#add(await this.#deps.values(), true)
  }

  /** Of a container, before its first line is stored. */
  learn({ Config }: Inspected): void {
    this.#add(secretVariables(Config?.Env ?? []), false)
  }

  #add(values: readonly string[], first: boolean): void {
    const before = this.#values.size
    for (const value of values) this.#values.add(value)
    const { settings, nodeKey } = this.#deps
    if (settings === 'unknown' || (this.#values.size === before && !first)) return
    const { values: live } = withinBounds(this.#values)
    this.#known.add(live)
    this.#setMask({
      options: { key: nodeKey.bytes, live, ...settings },
      rules: rulesVersion(settings),
      values: this.#known.count,
    })
  }
}
