/**
 * summary.txt, the second entry: at most 8 KiB for a tired human, from cheap sources, each with its own short deadline.
 * A probe that fails or is late says so in its line; none holds up the bundle.
 */
import type { Kit } from '../collector.ts'
import { patiently } from '../sources/patience.ts'
import { mayReadAll } from './host.ts'
import { createKit } from './kit.ts'
import type { PlannedCollector } from './plan.ts'
import type { BundleRun } from './run.ts'
import { PROBES } from './summary-probes.ts'

/** All probes run at once and have this long; summary.txt is promised within 2 s of the request. */
const PROBE_MS = 1500

const MOST_BYTES = 8 * 1024

export async function summaryText(run: BundleRun, plan: readonly PlannedCollector[]): Promise<string> {
  const done = run.trace.span('summary', 'summary.txt')
  const kit = createKit(run)
  const lines = await Promise.all(PROBES.map(({ label, ask }) => line(label, ask, kit, run.source.signal)))
  const sections = [heading(run), lines.flat().join('\n'), unavailable(plan), whereToLook(kit)]
  done()
  return fit(`${sections.filter((section) => section !== '').join('\n\n')}\n`)
}

type Probe = (kit: Kit) => Promise<string | readonly string[]>

/** A label and what is to be said of it, further lines indented below. */
async function line(label: string, ask: Probe, kit: Kit, signal: AbortSignal): Promise<string[]> {
  const texts = await said(label, ask, kit, signal)
  return texts.map((text, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${text}`)
}

const LABEL_WIDTH = 18

async function said(label: string, ask: Probe, kit: Kit, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const answer = await patiently(ask(kit), label, { ms: PROBE_MS, signal })
    return typeof answer === 'string' ? [answer] : answer
  } catch (error) {
    signal.throwIfAborted()
    return [`unknown: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`]
  }
}

function heading(run: BundleRun): string {
  const { host } = run.deps
  const { request } = run
  const span = `${new Date(request.sinceMs).toISOString()} to ${new Date(request.untilMs).toISOString()}`
  return [
    `diagd debug bundle of ${host.node}${host.node === host.hostname ? '' : ` (host name ${host.hostname})`}`,
    `taken ${new Date(run.startedAtMs).toISOString()}, window ${span}, all times UTC`,
    ...(mayReadAll() ? [] : [`taken as uid ${host.uid}, not root: what root alone can read is missing and says so`]),
    ...run.deps.dropInProblems.map((problem) => `! ${problem}`),
  ].join('\n')
}

function unavailable(plan: readonly PlannedCollector[]): string {
  const absent = plan.filter(({ missing }) => missing !== undefined)
  if (absent.length === 0) return ''
  return ['Not collected here:', ...absent.map(({ id, missing }) => `  ${id}: ${missing}`)].join('\n')
}

function whereToLook({ host }: Kit): string {
  return [
    'Open next:',
    '  slow or failed boot     boot/timeline.txt, cloud-init/cloud-init-output.log',
    '  what happened, when     events/recent.txt',
    `  a service that failed   ${host.systemd ? 'systemd/, ' : ''}journal/boot-0.log`,
    '  a container that died   containers/<name>-<id>/log.log and state.json',
    '  killed, hung, corrupt   kernel/problems.txt, kernel/dmesg.log',
    '  no network              network/, firewall/',
    '  disk or memory full     metrics/overview.svg, storage/usage.txt, processes/top.txt',
    'manifest.json (last entry) tells for each entry whether it is whole; *.error.txt says why one is not.',
  ].join('\n')
}

function fit(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= MOST_BYTES) return text
  const mark = '\n… diagd: cut at 8 KiB …\n'
  const kept = bytes.subarray(0, MOST_BYTES - Buffer.byteLength(mark)).toString()
  return kept.slice(0, kept.lastIndexOf('\n')) + mark
}
