/** Follows the engine it is told, and says what it has kept, ten times a second. `node --expose-gc bench/tail-child.ts SOCKET FOLDER` */
import { followContainers } from '../src/record/containers/tail.ts'

const [, , socket, stateDir] = process.argv
/** The first answer is there as soon as it is asked for, also by one that follows nothing. */
const sockets = socket === undefined || socket === '' ? [] : [socket]

const tail = followContainers({
  stateDir: stateDir!,
  sink: { append: async () => {}, cursor: async () => undefined },
  now: () => ({ timeMs: Date.now(), bootId: 'bench' }),
  redaction: { nodeKey: { bytes: new Uint8Array(32), kept: 'process' }, settings: {}, values: async () => [] },
  engines: sockets,
  root: '',
  limits: { idleMs: 5000 },
})
setInterval(() => {
  const { lines, dropped } = tail.health()
  process.stdout.write(`${lines} ${dropped.flood}\n`)
}, 100)
// What the daemon does when nobody asks (src/garbage.ts).
setInterval(() => globalThis.gc?.(), 10_000)
