/** The machine in one answer. Asked often (a fleet's inventory), so it is kept for a moment. */
import { networkInterfaces } from 'node:os'
import { systemInfo, type Surroundings } from '../../collectors/lib/system-info.ts'
import type { Kit } from '../collector.ts'
import { askedApart } from './apart.ts'
import type { BundleDeps } from './deps.ts'

/** Machines change slowly; the clock and the space left are as old as this at most. */
const KEPT_MS = 5000

/** More than a dead mount costs. */
const DEADLINE_MS = 30_000

/** Gives the text of the JSON. Those who ask at the same time share one answer, so none of them can call it off. */
export function createSystemInfo(deps: () => BundleDeps, surroundings = surroundingsHere): () => Promise<Buffer> {
  let kept: Promise<Buffer> | undefined
  return () => {
    if (kept) return kept
    const asked = make(deps(), surroundings())
    kept = asked
    const forget = () => void (kept = undefined)
    asked.then(() => setTimeout(forget, KEPT_MS).unref(), forget)
    return asked
  }
}

function make(deps: BundleDeps, around: Surroundings): Promise<Buffer> {
  const text = async (kit: Kit) => `${JSON.stringify(await systemInfo(kit, around), null, 2)}\n`
  return askedApart(deps, text, AbortSignal.timeout(DEADLINE_MS))
}

/** Node's names of architectures that OpenTelemetry has others for. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', arm: 'arm32' }

function surroundingsHere(): Surroundings {
  const addresses = Object.entries(networkInterfaces()).map(([name, list = []]) => [
    name,
    list.map(({ cidr, address }) => cidr ?? address),
  ])
  return {
    arch: ARCHITECTURES[process.arch] ?? process.arch,
    addresses: Object.fromEntries(addresses) as Surroundings['addresses'],
  }
}
