/** What a credential may be good for. Each route names the one it needs. */

export const SCOPES = ['bundle', 'read', 'write-events', 'upload'] as const
export type Scope = (typeof SCOPES)[number]

/** A bundle and everything that only looks. Who writes or uploads is told so on purpose. */
export const DEFAULT_SCOPES: readonly Scope[] = ['bundle', 'read']

export function isScope(text: unknown): text is Scope {
  return (SCOPES as readonly unknown[]).includes(text)
}

/**
 * Scopes of a list, or of text with commas between them.
 * @throws Error that names what is not one.
 */
export function parseScopes(value: unknown): Scope[] {
  const list: unknown = typeof value === 'string' ? value.split(',').map((text) => text.trim()) : value
  if (!Array.isArray(list)) throw new Error('is not a list of scopes')
  const wrong: unknown = list.find((one) => !isScope(one))
  if (wrong !== undefined || list.length === 0) {
    throw new Error(`${list.length === 0 ? 'nothing' : JSON.stringify(wrong)} is not a scope`)
  }
  return SCOPES.filter((scope) => list.includes(scope))
}
