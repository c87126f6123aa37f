/** Whether the mask can be trusted, found out before anything is handed over; what the manifest says of it. */
import { readFileSync } from 'node:fs'
import type { RedactorOptions } from '../redact/configured.ts'
import { RULES } from '../redact/rules.ts'
import { selfTest } from '../redact/self-test.ts'
import type { BundleDeps } from './deps.ts'
import { createKit } from './kit.ts'
import { liveValues } from './live-values.ts'
import { createRedaction, noRedaction, type BundleRedaction } from './redaction.ts'
import type { BundleRun } from './run.ts'
import type { BundleRequest } from './types.ts'

/** `redaction` of manifest.json. */
export interface Trust {
  readonly masked: boolean
  readonly pseudonymized: boolean
  /** Where equal secrets have equal tokens: in all bundles of this node, or in those of this process alone. */
  readonly sameWithin: 'node' | 'process'
  readonly rules: number
  /** Values looked for wherever they appear. */
  readonly liveValues: number
  /** Secrets of every kind that were sent through the same pipe. */
  readonly selfTest: { readonly planted: number; readonly caught: number; readonly missed: readonly string[] }
  readonly problems: readonly string[]
}

/** The mask before any live value is known: for index.json, which waits for nothing. */
export function openRedaction(request: BundleRequest, deps: BundleDeps): BundleRedaction {
  return request.unmasked ? noRedaction() : createRedaction(deps.redaction.service, optionsOf(request, deps, []))
}

/** Gathers the live values, goes on with a mask that knows them, and tests it. */
export async function establishTrust(
  run: Pick<BundleRun, 'request' | 'deps' | 'source' | 'redaction'>,
): Promise<Trust> {
  const { request, deps } = run
  const { nodeKey, values, seen } = deps.redaction
  const facts = { pseudonymized: request.pseudonymize, sameWithin: nodeKey.kept, rules: RULES.length }
  if (request.unmasked) {
    const none = { planted: 0, caught: 0, missed: [] }
    return {
      masked: false,
      ...facts,
      liveValues: 0,
      selfTest: none,
      problems: ['nothing is masked: collect --unmasked'],
    }
  }
  const live = await liveValues(createKit(run), values)
  seen.add(live.values)
  if (live.values.length > 0) {
    run.redaction.close()
    run.redaction = createRedaction(deps.redaction.service, optionsOf(request, deps, live.values))
  }
  if (live.distrust !== undefined) run.redaction.distrust(live.distrust)
  const tested = await run.redaction.test(selfTest)
  if (tested.missed.length > 0) run.redaction.distrust(`the test of the mask failed (${tested.missed.join(', ')})`)
  const said =
    nodeKey.problem === undefined ? live.problems : [`key of this node: ${nodeKey.problem}`, ...live.problems]
  const problems = await Promise.all(said.map((problem) => run.redaction.text(problem)))
  return { masked: true, ...facts, liveValues: live.values.length, selfTest: tested, problems }
}

/** @throws Error when the configuration speaks of secrets that cannot be understood. */
function optionsOf(request: BundleRequest, deps: BundleDeps, live: readonly string[]): RedactorOptions {
  const { settings, nodeKey } = deps.redaction
  if (settings === 'unknown')
    throw new Error('the configuration speaks of secrets that cannot be understood; diagd check tells what is wrong')
  const pseudonymize = request.pseudonymize ? { pseudonymize: { hosts: hostNames(deps), users: userNames(deps) } } : {}
  return { key: nodeKey.bytes, live, ...settings, ...pseudonymize }
}

function hostNames({ host, root }: BundleDeps): string[] {
  const first = host.hostname.split('.')[0]!
  const hosts = read(`${root}/etc/hosts`)
    .replaceAll(/#.*/g, '')
    .split(/\s+/)
    .filter((word) => /[a-z]/i.test(word) && !word.includes(':'))
  return [host.node, host.hostname, first, ...hosts]
}

/** Of people: from 1000 on. */
function userNames({ root }: BundleDeps): string[] {
  return read(`${root}/etc/passwd`)
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, , uid]) => Number(uid) >= 1000 && Number(uid) < 65_000)
    .map(([name = '']) => name)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
