/** Logs as a cloud VM writes them: generated, the same for everybody, as compressible as real ones (gzip −6: 6.6 : 1). */
import { closeSync, openSync, writeSync } from 'node:fs'

/** Writes about `bytes` of journal-like lines whose times end now, an even spread over the last day. */
export function writeLogs(path: string, bytes: number, seed: number): void {
  const random = generator(seed)
  const lines = Math.ceil(bytes / MEAN_LINE_BYTES)
  const stepMs = DAY_MS / lines
  const file = openSync(path, 'w')
  try {
    for (let line = 0, timeMs = Date.now() - DAY_MS; line < lines;) {
      let text = ''
      for (const end = Math.min(line + 5000, lines); line < end; line++) {
        timeMs += stepMs
        text += `${new Date(timeMs).toISOString().replace('Z', '000+00:00')} node-7 ${pick(UNITS, random)}: ${message(random)}\n`
      }
      writeSync(file, text)
    }
  } finally {
    closeSync(file)
  }
}

const DAY_MS = 86_400_000
const MEAN_LINE_BYTES = 178

const UNITS = [
  'systemd[1]',
  'dockerd[812]',
  'containerd[640]',
  'sshd[9921]',
  'kernel',
  'cloud-init[455]',
  'agent[2210]',
  'cron[511]',
]

type Random = (below: number) => number

function message(random: Random): string {
  switch (random(6)) {
    case 0:
      return `time="2026-11-21T09:${two(random(60))}:${two(random(60))}.${random(1e9)}Z" level=info msg="shim disconnected" id=${hex(64, random)} namespace=moby`
    case 1:
      return `Accepted publickey for ubuntu from 10.${random(255)}.${random(255)}.${random(255)} port ${random(65535)} ssh2: ED25519 SHA256:${hex(43, random)}`
    case 2:
      return `[UFW BLOCK] IN=eth0 OUT= MAC=${hex(12, random)} SRC=192.0.2.${random(255)} DST=10.0.0.5 LEN=${random(1500)} TOS=0x00 PREC=0x00 TTL=${random(255)} ID=${random(65535)} PROTO=TCP SPT=${random(65535)} DPT=22`
    case 3:
      return `{"level":"info","ts":${1763717649 + random(86400)}.${random(1e6)},"caller":"server/handler.go:${random(900)}","msg":"request","method":"GET","path":"/api/nodes/${hex(8, random)}","status":${pick(['200', '200', '404', '500'], random)},"duration_ms":${random(5000)}}`
    case 4:
      return `Started session-${random(9999)}.scope - Session ${random(9999)} of User ubuntu.`
    default:
      return `npm http fetch GET 200 https://registry.example.org/lodash ${random(900)}ms (cache ${pick(['hit', 'miss', 'revalidated'], random)})`
  }
}

function pick(list: readonly string[], random: Random): string {
  return list[random(list.length)]!
}

function hex(length: number, random: Random): string {
  return Array.from({ length }, () => '0123456789abcdef'[random(16)]).join('')
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

/** A linear congruential generator (Numerical Recipes' constants): repeatable. */
function generator(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % below
  }
}
