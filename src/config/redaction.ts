/** The `redaction` key: what is secret here besides the table of rules. */
import { userRuleProblem, type UserRule } from '../redact/user-rules.ts'

export interface RedactionConfig {
  readonly rules: readonly UserRule[]
  readonly names: readonly string[]
  readonly files: readonly string[]
}

/** What a message says is accepted. */
export const REDACTION_ACCEPTS =
  'a mapping of rules (a list of {name, pattern, ignoreCase}), names (a list of key names, at least 4 letters) and files (a list of absolute paths)'

const PARTS = ['rules', 'names', 'files']
const MOST = 64

/** @throws Error that names the wrong part. */
export function parseRedaction(value: unknown): RedactionConfig {
  const { rules = [], names = [], files = [], ...rest } = mapping(value)
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw new Error(`has "${unknown}", which is none of ${PARTS.join(', ')}`)
  return {
    rules: list('rules', rules).map(rule),
    names: list('names', names).map((name) => text('names', name, /^[\w.-]{4,64}$/).toLowerCase()),
    files: list('files', files).map((path) => text('files', path, /^\/[^\0]+$/)),
  }
}

function mapping(value: unknown): Record<string, unknown> {
  const parsed: unknown = typeof value === 'string' ? fromText(value) : value
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error('is not a mapping')
  return parsed as Record<string, unknown>
}

function fromText(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    throw new Error('is not JSON')
  }
}

function list(part: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error(`has ${part} that are not a list`)
  if (value.length > MOST) throw new Error(`has more than ${MOST} ${part}`)
  return value
}

function text(part: string, value: unknown, shape: RegExp): string {
  if (typeof value === 'string' && shape.test(value)) return value
  throw new Error(`has ${JSON.stringify(value)} in ${part}, which is not accepted there`)
}

function rule(value: unknown): UserRule {
  const { name, pattern, ignoreCase = false, ...rest } = mapping(value)
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw new Error(`has a rule with "${unknown}"; a rule has name, pattern and ignoreCase`)
  if (typeof name !== 'string' || typeof pattern !== 'string' || typeof ignoreCase !== 'boolean')
    throw new Error('has a rule without name and pattern')
  const problem = userRuleProblem({ name, pattern, ignoreCase })
  if (problem !== undefined) throw new Error(`has a rule that is refused: ${problem}`)
  return { name, pattern, ignoreCase }
}
