/** The thread in which the rules run: what hangs here can be ended from outside. */
import { parentPort } from 'node:worker_threads'
import { createConfigured, type RedactorOptions } from './configured.ts'
import type { Masked, Redactor, Stretch } from './redactor.ts'

export type Order = { readonly id: number } & (
  | { readonly options: RedactorOptions; readonly redactor: number }
  | { readonly stretch: Stretch; readonly redactor: number }
  | { readonly forget: number }
)

export type Answer = { readonly id: number } & ({ readonly masked: Masked } | { readonly error: string })

const redactors = new Map<number, Redactor>()

parentPort!.on('message', (order: Order) => {
  try {
    answer(order)
  } catch (error) {
    // An order that nobody waits for: the stretches that need it will fail.
    if (order.id < 0) return
    // A message that quotes the text would carry what it is there to keep in.
    const said = error instanceof Error ? `${error.name} in ${place(error)}` : 'an error'
    parentPort!.postMessage({ id: order.id, error: said } satisfies Answer)
  }
})

function answer(order: Order): void {
  const { id } = order
  if ('forget' in order) redactors.delete(order.forget)
  else if ('options' in order) redactors.set(order.redactor, createConfigured(order.options))
  else {
    const masked = redactors.get(order.redactor)!(order.stretch)
    // What was left as it is stays where it is, in memory that both threads see.
    if (masked.bytes.buffer === order.stretch.bytes.buffer)
      return parentPort!.postMessage({ id, masked } satisfies Answer)
    const bytes = new Uint8Array(masked.bytes)
    parentPort!.postMessage({ id, masked: { ...masked, bytes } } satisfies Answer, [bytes.buffer])
  }
}

function place(error: Error): string {
  return /\/([\w-]+\.[jt]s:\d+)/.exec(error.stack ?? '')?.[1] ?? 'a rule'
}
