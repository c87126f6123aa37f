/** The redactor of one bundle: the table of rules, what the configuration adds, and the values that are known to be secret. */
import { liveRule } from './live.ts'
import { pseudonymSweep, type PseudonymFacts } from './pseudonyms.ts'
import { createRedactor, type Redactor } from './redactor.ts'
import { RULES } from './rules.ts'
import { pairRule } from './rules/pairs.ts'
import { userSweep, type UserRule } from './user-rules.ts'

/** Everything goes through a structured clone. */
export interface RedactorOptions {
  /** The node's own; tokens are made with it. */
  readonly key: Uint8Array
  /** Values to be masked wherever they appear. */
  readonly live?: readonly string[]
  /** Names of keys whose values are secret, besides the table's. */
  readonly names?: readonly string[]
  readonly userRules?: readonly UserRule[]
  /** Live values alone are looked for, and replaced by as many bytes: for what has a structure that must not move. */
  readonly sameLength?: boolean
  /** Makes addresses, host and user names pseudonymous. */
  readonly pseudonymize?: PseudonymFacts
}

export function createConfigured(options: RedactorOptions): Redactor {
  const { key, live = [], names = [], userRules = [], pseudonymize, sameLength } = options
  if (sameLength) return createRedactor(liveRule(live, true), key, [], 'same-length')
  const rules = RULES.map((rule) => (rule.id === 'pair' && names.length > 0 ? pairRule(names) : rule))
  const sweeps = [...userRules.map(userSweep), ...(pseudonymize ? [pseudonymSweep(pseudonymize)] : [])]
  return createRedactor([...rules, ...liveRule(live)], key, sweeps)
}
