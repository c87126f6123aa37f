/** `diagd verify FILE|-`: is this the bundle that was sent, all of it? */
import { createReadStream } from 'node:fs'
import { verifyBundle } from '../archive/verify.ts'
import type { VerifyReport } from '../archive/verify.ts'
import { formatBytes, forTerminal } from '../terminal.ts'
import { identitiesIn } from './identities.ts'
import { EXIT, print } from './io.ts'
import type { Io } from './io.ts'

export async function verify(file: string, options: { identity?: string }, io: Io): Promise<number> {
  const identities = options.identity === undefined ? [] : await identitiesIn(options.identity)
  const report = await verifyBundle(file === '-' ? io.stdin : createReadStream(file), identities)
  await print(io.stdout, `${describeReport(report).map(forTerminal).join('\n')}\n`)
  return report.whole ? EXIT.whole : EXIT.failed
}

export function describeReport(report: VerifyReport): string[] {
  const { whole, findings, moreFindings, bundleId, format, encrypted, files, bytesIn, lastWhole, outcome } = report
  const what = `${bundleId ?? 'no bundle'}: ${format ?? 'unknown format'}${encrypted ? ' (encrypted)' : ''}, ${formatBytes(bytesIn)}, ${files} whole files`
  const lines = findings.map(({ kind, message }) => `${kind}: ${message}`)
  if (moreFindings > 0) lines.push(`and ${moreFindings} more`)
  if (whole)
    return [
      `whole: ${what}${outcome === 'partial' ? '; some sources could not be read in full (see manifest.json)' : ''}`,
    ]
  const arrived = lastWhole === undefined ? 'no file arrived whole' : `the last file that arrived whole is ${lastWhole}`
  return [`not whole: ${what}; ${arrived}`, ...lines]
}
