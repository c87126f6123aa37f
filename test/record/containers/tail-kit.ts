/** A tail beside a real engine, and what it keeps. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ContainerTail, KeptContainer } from '../../../src/record/containers/container.ts'
import { inflateSegment } from '../../../src/record/containers/keep/segment.ts'
import { createKept } from '../../../src/record/containers/kept.ts'
import { followContainers, type ContainerTailOptions } from '../../../src/record/containers/tail.ts'
import { memoryStore, type MemoryStore } from '../helpers/memory-store.ts'

export async function stateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-tail-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface TestTail {
  readonly tail: ContainerTail
  readonly store: MemoryStore
  readonly stateDir: string
  /** Resolves once an event says it. */
  heard(type: string, subject: string): Promise<void>
  close(): Promise<void>
}

/** Follows the engines on these sockets until the test ends. */
export async function startTail(
  sockets: readonly string[],
  options: Partial<ContainerTailOptions> & { store?: MemoryStore } = {},
): Promise<TestTail> {
  const { store = memoryStore(), stateDir = await stateFolder(), ...more } = options
  const tail = followContainers({
    stateDir,
    sink: store,
    now: () => ({ timeMs: Date.now(), monotonicMs: performance.now(), bootId: 'boot' }),
    redaction: { nodeKey: { bytes: new Uint8Array(32), kept: 'process' }, settings: {}, values: async () => [] },
    // As if the folder of temporary files were the root of the host: the machine's own engines are none of ours.
    engines: sockets.map((socket) => socket.slice(tmpdir().length)),
    root: tmpdir(),
    ...more,
  })
  let closed: Promise<void> | undefined
  const close = () => (closed ??= tail.close())
  onTestFinished(close)
  const heard = (type: string, subject: string) =>
    store.until(({ events }) => events.some((event) => event.type === type && event.subject === subject))
  return { tail, store, stateDir, heard, close }
}

/** By name; waits until what is kept of it satisfies. */
export async function keptOf(
  { stateDir, tail }: Pick<TestTail, 'stateDir' | 'tail'>,
  name: string,
  satisfies: (container: KeptContainer) => boolean = () => true,
): Promise<KeptContainer> {
  const look = async () => {
    await tail.flush()
    return (await createKept(stateDir).list()).find((one) => one.name === name)
  }
  for (;;) {
    const found = await look()
    // Of one that is removed its log is closed right behind, which may let go of its oldest lines.
    if (found && satisfies(found)) return (await look()) ?? found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Everything that its last run said. */
export const isComplete = ({ logComplete, state }: KeptContainer) => logComplete === true && state !== 'running'

export async function logText(stateDir: string, container: Pick<KeptContainer, 'folder'>): Promise<string> {
  const parts: Buffer[] = []
  for await (const piece of createKept(stateDir).log(container)) {
    parts.push('segment' in piece ? inflateSegment(piece.segment) : piece.text)
  }
  return Buffer.concat(parts).toString('latin1')
}

/** What the container wrote, without times. */
export function messages(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /, ''))
}
