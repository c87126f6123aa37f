import type { Artifact, Engine, Kit } from '../../src/collector.ts'

export interface AskedEngine {
  readonly engine: Engine
  /** Where its entries go: a folder of its own only where there are several engines. */
  readonly folder: string
}

/**
 * The engines to ask, by paths without a version: no one version is spoken by all engines in use. And a skipped entry
 * for each that could not be asked, or one that says that there is none.
 */
export async function findAsked(kit: Kit): Promise<{ engines: AskedEngine[]; skipped: Artifact[] }> {
  const { present, absent } = await kit.engines()
  const engines = present.map((engine) => ({ engine, folder: present.length > 1 ? `${engine.label}/` : '' }))
  const skipped = absent.map(({ socket, reason }) =>
    kit.skipped(nameOf(socket), reason.includes(socket) ? reason : `${socket}: ${reason}`),
  )
  if (engines.length + skipped.length > 0) return { engines, skipped }
  return { engines, skipped: [kit.skipped('engines', 'no socket of a container engine was found')] }
}

/** `/run/docker.sock` → `run_docker.sock`, safe in a path. */
const nameOf = (socket: string) => socket.replaceAll(/[^\w.-]+/g, '_').replace(/^_/, '')

/** Asks once, whoever needs the answer first; all get the same answer or the same error. */
export function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => (asked ??= ask())
}
