/** Pressure stall information (kernel documentation, accounting/psi): a machine that suffers is asked gently. */
import { readFileSync } from 'node:fs'

/** Share of the last 10 s in which all work stood still for want of memory or I/O, in per cent. */
const HIGH_PERCENT = 20

/** Asked at most this often. */
const FRESH_MS = 1000

export class Pressure {
  readonly #root: string
  #askedMs = 0
  #high = false

  constructor(root = '') {
    this.#root = root
  }

  high(): boolean {
    const now = performance.now()
    if (this.#askedMs === 0 || now - this.#askedMs > FRESH_MS) {
      this.#askedMs = now
      this.#high = ['memory', 'io'].some(
        (resource) => fullAverage(`${this.#root}/proc/pressure/${resource}`) > HIGH_PERCENT,
      )
    }
    return this.#high
  }
}

/** `avg10` of the `full` line; 0 where the kernel does not tell. */
function fullAverage(path: string): number {
  try {
    return Number(/^full avg10=([\d.]+)/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
