/** Which stored segments go into this bundle as they are: those that were masked as it would mask them. */
import type { MaskedSegment } from '../sources/masked-segment.ts'
import type { BundleRedaction } from './redaction.ts'
import type { BundleRun } from './run.ts'

export type IsSpliced = (segment: MaskedSegment) => boolean

type Run = Pick<BundleRun, 'request' | 'deps' | 'redaction'>

/** The values are known once summary.txt is written, and stay. */
const known = new WeakMap<BundleRedaction, Promise<IsSpliced>>()

export function splicing(run: Run): Promise<IsSpliced> {
  let asked = known.get(run.redaction)
  if (!asked) known.set(run.redaction, (asked = ask(run)))
  return asked
}

async function ask({ request, deps, redaction }: Run): Promise<IsSpliced> {
  if (request.format !== 'tar.gz' || request.pseudonymize) return () => false
  // Nothing is masked, and nothing can be unmasked.
  if (!redaction.masks) return () => true
  const { rules, values } = await deps.kept.maskedWith(redaction.live)
  return (segment) => segment.rules === rules && segment.values >= values
}
