/** Lines of the audit log (src/http/audit.ts) as events. */
import { ownType } from '../classify/own.ts'
import type { NewEvent } from '../events/event.ts'

/** The fields of the line, as the logger gets them. */
export type AuditFields = Readonly<Record<string, unknown>>

export function auditEvent(
  fields: AuditFields,
): Pick<NewEvent, 'type' | 'source' | 'level' | 'subject' | 'message' | 'detail'> {
  const { outcome, bundleId, code, reason, credential, address, bytesOut } = fields
  const from = textOf(address)
  // There the credential is called after the socket, too.
  const who = from === undefined ? 'somebody at the unix socket' : `${textOf(credential) ?? 'somebody'} at ${from}`
  const detail = JSON.parse(JSON.stringify(fields)) as Record<string, unknown>
  if (outcome === 'refused') {
    const message = `${who} was refused: ${textOf(reason) ?? textOf(code) ?? ''}`
    return { ...ownType('bundle.refused'), subject: textOf(code) ?? '', message, detail }
  }
  const subject = textOf(bundleId) ?? ''
  if (outcome === 'broken off') {
    const message = `a bundle for ${who} broke off: ${textOf(reason) ?? 'the reason is not known'}`
    return { ...ownType('bundle.broken-off'), subject, message, detail }
  }
  const message = `${who} got a bundle, ${textOf(outcome) ?? ''}, of ${textOf(bytesOut) ?? '?'} bytes`
  return { ...ownType('bundle.handed-over'), subject, message, detail }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
