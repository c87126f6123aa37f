/** Follows the engine on the socket it is given, and says how many lines it has handed to the disk; to be killed. */
import { writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { followContainers } from '../../../src/record/containers/tail.ts'

const [, , socket = '', stateDir = ''] = process.argv
const tail = followContainers({
  stateDir,
  sink: { append: async () => undefined, cursor: async () => undefined },
  now: () => ({ timeMs: Date.now(), bootId: 'boot' }),
  redaction: { nodeKey: { bytes: new Uint8Array(32), kept: 'process' }, settings: {}, values: async () => [] },
  engines: [socket.slice(tmpdir().length)],
  root: tmpdir(),
})
setInterval(() => writeSync(1, `${tail.health().lines}\n`), 5)
