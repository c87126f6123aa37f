/** Tokens that name their vendor by a prefix. */
import type { Rule } from '../rule.ts'
import { CLOUD_RULES } from './clouds.ts'
import { FORGE_RULES } from './forges.ts'
import { SERVICE_RULES } from './services.ts'

export const VENDOR_RULES: readonly Rule[] = [...CLOUD_RULES, ...FORGE_RULES, ...SERVICE_RULES]
