/**
 * What is left when nobody asks any more goes back to the system: V8 collects as it allocates, and a daemon at rest allocates
 * nothing for days. It takes 60 ms of the event loop, once. Node has `gc` only where it is told so (packaging/diagd).
 */
export function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', flavor: 'last-resort' })
}
