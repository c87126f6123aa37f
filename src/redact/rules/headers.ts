/** What HTTP headers carry. */
import type { Rule } from '../rule.ts'
import { AUTHORIZATION_RULES } from './authorization.ts'
import { COOKIE_RULES } from './cookies.ts'

export const HEADER_RULES: readonly Rule[] = [...AUTHORIZATION_RULES, ...COOKIE_RULES]
