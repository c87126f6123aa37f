/** What logs are masked with: the rules, and the values that are known to be secret by now. */
import { createHash } from 'node:crypto'
import { secretVariables } from '../../../collect/live-values.ts'
import type { RedactionDeps } from '../../../collect/redaction.ts'
import { withinBounds } from '../../../redact/live.ts'
import { RULES_REVISION } from '../../../redact/revision.ts'
import { VERSION } from '../../../version.ts'
import { KnownValues } from '../keep/known-values.ts'
import type { MaskSettings } from '../thread/protocol.ts'
import type { Inspected } from './facts.ts'

/** `seen`: what else is recorded is masked with the secrets of containers, too. */
export type SecretsDeps = Pick<RedactionDeps, 'nodeKey' | 'settings' | 'values'> & Partial<Pick<RedactionDeps, 'seen'>>

/** What a text was masked with, in short: whoever has the same need not mask it again. */
export function rulesVersion(settings: Exclude<SecretsDeps['settings'], 'unknown'>): string {
  const { names = [], userRules = [] } = settings
  return createHash('sha256')
    .update(JSON.stringify([VERSION, RULES_REVISION, names, userRules]))
    .digest('hex')
    .slice(0, 16)
}

export class Secrets {
  readonly #folder: string
  readonly #deps: SecretsDeps
  readonly #setMask: (mask: MaskSettings) => void
  readonly #values = new Set<string>()
  #known: KnownValues | undefined
  #last: Promise<void> = Promise.resolve()

  /** `folder`: `<state>/containers`. */
  constructor(folder: string, deps: SecretsDeps, setMask: (mask: MaskSettings) => void) {
    this.#folder = folder
    this.#deps = deps
    this.#setMask = setMask
  }

  /** Reads what the configuration names. Rejects when that cannot be: then nothing may be stored, for it might be in it. */
  async refresh(): Promise<void> {
    const { settings, nodeKey, values } = this.#deps
    if (settings === 'unknown') throw new Error('the configuration of the mask cannot be understood')
    this.#known ??= await KnownValues.read(this.#folder, nodeKey.bytes)
    await this.#add(await values(), true)
  }

  /** Of a container: resolves once all that is stored from then on is masked with it. */
  learn({ Config }: Inspected): Promise<void> {
    const { values } = withinBounds(secretVariables(Config?.Env ?? []))
    this.#deps.seen?.add(values)
    return this.#add(values, false)
  }

  /** All containers were learned: what those knew that are gone is not looked for any more. */
  async settle(): Promise<void> {
    await this.#known?.keepOnly(this.#live()).catch(() => {})
    this.#tell()
  }

  #add(values: readonly string[], first: boolean): Promise<void> {
    const before = this.#values.size
    for (const value of values) this.#values.add(value)
    // Those that another is just learning are not masked yet.
    if (this.#values.size === before && !first) return this.#last
    const learned = this.#keep()
    this.#last = Promise.all([this.#last, learned]).then(() => {})
    return this.#last
  }

  async #keep(): Promise<void> {
    // What cannot be kept is masked, and counts as not looked for.
    await this.#known?.add(this.#live()).catch(() => {})
    this.#tell()
  }

  #tell(): void {
    const { settings, nodeKey } = this.#deps
    if (settings === 'unknown' || !this.#known) return
    const live = this.#live()
    this.#setMask({
      options: { key: nodeKey.bytes, live, ...settings },
      rules: rulesVersion(settings),
      values: this.#known.knownTo(live),
    })
  }

  #live(): string[] {
    return withinBounds(this.#values).values
  }
}
