/** The table: every kind of secret that diagd knows. */
import type { Rule } from './rule.ts'
import { COMMAND_RULES } from './rules/commands.ts'
import { ENCODED_RULES } from './rules/encoded.ts'
import { HASH_RULES } from './rules/hashes.ts'
import { HEADER_RULES } from './rules/headers.ts'
import { KEY_RULES } from './rules/keys.ts'
import { PAIR_RULES } from './rules/pairs.ts'
import { PIN_RULES } from './rules/pins.ts'
import { TORN_RULES } from './rules/torn.ts'
import { URL_RULES } from './rules/urls.ts'
import { VENDOR_RULES } from './rules/vendors.ts'

export const RULES: readonly Rule[] = [
  ...VENDOR_RULES,
  ...KEY_RULES,
  ...TORN_RULES,
  ...URL_RULES,
  ...HEADER_RULES,
  ...HASH_RULES,
  ...ENCODED_RULES,
  ...COMMAND_RULES,
  ...PIN_RULES,
  ...PAIR_RULES,
]
