/** Begins and ends of steps with names. No I/O. */
import type { Part } from './parts.ts'
import type { StepSource } from './types.ts'

export type Edge = 'started' | 'finished' | 'failed'

/** The same line comes twice when a script's output goes to the console and to a log. */
const ECHO_MS = 2000

export class Pairing {
  readonly #source: StepSource
  readonly #done: Part[] = []
  readonly #open = new Map<string, { startedMs: number; lastMs: number; starts: number }>()
  readonly #ended = new Map<string, number>()

  constructor(source: StepSource) {
    this.#source = source
  }

  note(name: string, edge: Edge, atMs: number, detail: string): void {
    if (edge === 'started') this.#start(name, atMs)
    else this.#end(name, edge, atMs, detail)
  }

  parts(): Part[] {
    const open = [...this.#open].map(([name, { startedMs, starts }]) =>
      this.#part(name, 'open', startedMs, null, starts > 1 ? `started ${starts} times` : ''),
    )
    return [...this.#done, ...open]
  }

  #start(name: string, atMs: number): void {
    const open = this.#open.get(name)
    if (!open) {
      if (atMs - (this.#ended.get(name) ?? -Infinity) < ECHO_MS && this.#isInstant(name)) return
      this.#open.set(name, { startedMs: atMs, lastMs: atMs, starts: 1 })
    } else {
      if (atMs - open.lastMs > ECHO_MS) open.starts += 1
      open.lastMs = atMs
    }
  }

  #isInstant(name: string): boolean {
    const last = this.#done.findLast((part) => part.name === name)
    return last?.endedMs !== undefined && last.endedMs !== null && last.endedMs - last.startedMs < ECHO_MS
  }

  #end(name: string, edge: 'finished' | 'failed', atMs: number, detail: string): void {
    const open = this.#open.get(name)
    this.#open.delete(name)
    if (!open && atMs - (this.#ended.get(name) ?? -Infinity) < ECHO_MS) return
    this.#ended.set(name, atMs)
    const status = edge === 'failed' ? 'failed' : (open?.starts ?? 1) > 1 ? 'restarted' : 'done'
    const told = !open ? 'nobody said when it began' : open.starts > 1 ? `started ${open.starts} times` : ''
    const text = [detail, told].filter((part) => part !== '').join('; ')
    this.#done.push(this.#part(name, status, open?.startedMs ?? atMs, atMs, text))
  }

  #part(name: string, status: Part['status'], startedMs: number, endedMs: number | null, detail: string): Part {
    return { name, source: this.#source, status, startedMs, endedMs, detail }
  }
}
