/** Bundles of what a tail keeps. */
import { tmpdir } from 'node:os'
import containers from '../../../../collectors/containers.ts'
import { keptHere } from '../../../../src/record/kept-here.ts'
import { makeBundle, testRedaction, type BundleOptions, type TestBundle } from '../../../helpers/make-bundle.ts'
import type { TestTail } from '../tail-kit.ts'

/** As the daemon makes it that runs this tail. */
export function bundleOfTail(
  { tail, stateDir }: Pick<TestTail, 'tail' | 'stateDir'>,
  socket: string,
  request: BundleOptions['request'] = {},
): Promise<TestBundle> {
  const redaction = { ...testRedaction(), nodeKey: { bytes: new Uint8Array(32), kept: 'process' } as const }
  const kept = keptHere(tail, stateDir, () => redaction)
  const deps = { kept, redaction, engines: [socket.slice(tmpdir().length)], root: tmpdir() }
  return makeBundle({ containers }, { deps, parameters: { since: '1h' }, request })
}

/** Of lines that say it. */
export const numbersOf = (text: string): number[] =>
  [...text.matchAll(/ F line (\d+)$/gm)].map(([, digits]) => Number(digits))

/** From 1 on. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
