/** The thread in which the rules run: what hangs here can be ended from outside. */
import { parentPort } from 'node:worker_threads'
import { createConfigured, type RedactorOptions } from './configured.ts'
import { inParts } from './parts.ts'
import type { Masked, Redactor, Stretch } from './redactor.ts'

export type Order = { readonly id: number } & (
  | { readonly options: RedactorOptions; readonly redactor: number }
  | { readonly forget: number }
  | { readonly memory: number; readonly bytes: Uint8Array }
  | { readonly drop: number }
  | { readonly stretch: StretchIn; readonly redactor: number }
)

/** A stretch that lies at the begin of a memory both threads see; a short one comes along. */
export type StretchIn = Stretch | (Omit<Stretch, 'bytes'> & { readonly memory: number; readonly lengthBytes: number })

export type Answer = { readonly id: number } & ({ readonly masked: MaskedIn } | { readonly error: string })

/** New bytes, or where those lie that were left as they are. */
export type MaskedIn = Omit<Masked, 'bytes'> &
  ({ readonly bytes: Uint8Array<ArrayBuffer> } | { readonly start: number; readonly end: number })

const redactors = new Map<number, Redactor>()
const memories = new Map<number, Uint8Array>()

parentPort!.on('message', (order: Order) => {
  try {
    obey(order)
  } catch (error) {
    // An order that nobody waits for: the stretches that need it will fail.
    if (order.id < 0) return
    // A message that quotes the text would carry what it is there to keep in.
    const said = error instanceof Error ? `${error.name} in ${place(error)}` : 'an error'
    parentPort!.postMessage({ id: order.id, error: said } satisfies Answer)
  }
})

function obey(order: Order): void {
  if ('stretch' in order) answer(order.id, redactors.get(order.redactor)!, order.stretch)
  else if ('options' in order) redactors.set(order.redactor, inParts(createConfigured(order.options)))
  else if ('forget' in order) redactors.delete(order.forget)
  else if ('bytes' in order) memories.set(order.memory, order.bytes)
  else memories.delete(order.drop)
}

function answer(id: number, redactor: Redactor, stretch: StretchIn): void {
  const bytes = 'bytes' in stretch ? stretch.bytes : memories.get(stretch.memory)!.subarray(0, stretch.lengthBytes)
  const { bytes: out, ...masked } = redactor({ ...stretch, bytes })
  if (out.buffer === bytes.buffer) {
    const start = out.byteOffset - bytes.byteOffset
    return parentPort!.postMessage({ id, masked: { ...masked, start, end: start + out.length } } satisfies Answer)
  }
  // Into memory of its own, which then changes hands.
  const own = new Uint8Array(out)
  parentPort!.postMessage({ id, masked: { ...masked, bytes: own } } satisfies Answer, [own.buffer])
}

function place(error: Error): string {
  return /\/([\w-]+\.[jt]s:\d+)/.exec(error.stack ?? '')?.[1] ?? 'a rule'
}
