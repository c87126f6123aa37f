/**
 * What systemd is told about the daemon (sd_notify): that it serves, that its event loop lives, how it is, that it goes.
 * Where nobody asked to be told (no NOTIFY_SOCKET) nothing happens; where telling fails, the log says so once.
 */
import type { Environment } from '../config/load.ts'
import { FIXED_PATH } from '../sources/lookup.ts'
import { sendNotification } from './send.ts'

/** The watchdog is fed, and a changed status is shown, as often as this, or four times in its time if that is more often. */
const BEAT_MS = 60_000
const BEATS_PER_WATCHDOG = 4
/** A line for `systemctl status`; systemd takes up to 4 KiB of everything. */
const MAX_STATUS_CHARACTERS = 1000

export interface Notifier {
  /** It serves. From now on the watchdog is fed, and `status` asked again and again; only what changed is sent. */
  serving(status: () => string): void
  /** It goes; nothing is fed any more. Resolves when that has been told, or cannot be. */
  stopping(status: string): Promise<void>
  /** It does not come up. Resolves when that has been told, or cannot be. */
  failed(status: string): Promise<void>
}

export interface NotifierOptions {
  readonly environment: Environment
  readonly warn: (message: string) => void
  /** Where `systemd-notify` is looked up; fixed but in tests. */
  readonly path?: string
  readonly pid?: number
  readonly beatMs?: number
}

export function createNotifier(options: NotifierOptions): Notifier {
  const { environment, pid = process.pid, path = FIXED_PATH } = options
  const socket = environment.NOTIFY_SOCKET
  if (!socket) return { serving() {}, stopping: async () => {}, failed: async () => {} }
  const tell = inOrder((lines: readonly string[]) => sendNotification(socket, lines, path), options.warn)
  const watchdogMs = watchdog(environment, pid)
  const beatMs = Math.min(options.beatMs ?? BEAT_MS, (watchdogMs ?? Infinity) / BEATS_PER_WATCHDOG)
  let timer: NodeJS.Timeout | undefined
  return {
    serving(status) {
      let told = oneLine(status())
      void tell(['READY=1', `STATUS=${told}`])
      timer = setInterval(() => {
        // A machine so busy that the last one is still on its way does not need a queue of them.
        if (tell.busy()) return
        const now = oneLine(status())
        const changed = now === told ? [] : [`STATUS=${now}`]
        told = now
        // READY once more: before systemd 246 a message can get lost when its sender is gone too soon.
        if (watchdogMs !== undefined) void tell(['READY=1', 'WATCHDOG=1', ...changed])
        else if (changed.length > 0) void tell(changed)
      }, beatMs).unref()
    },
    stopping(status) {
      clearInterval(timer)
      return tell(['STOPPING=1', `STATUS=${oneLine(status)}`])
    },
    failed: (status) => tell([`STATUS=${oneLine(status)}`]),
  }
}

/** Its time, where systemd set one for this process. */
function watchdog({ WATCHDOG_USEC, WATCHDOG_PID }: Environment, pid: number): number | undefined {
  const ms = Number(WATCHDOG_USEC) / 1000
  const ours = !WATCHDOG_PID || Number(WATCHDOG_PID) === pid
  return ours && ms > 0 && Number.isFinite(ms) ? ms : undefined
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_STATUS_CHARACTERS)
}

type Tell = ((lines: readonly string[]) => Promise<void>) & { busy: () => boolean }

/** One after the other, for "stopping" must not overtake "serving". Never rejects; only the first failure is worth a line. */
function inOrder(send: (lines: readonly string[]) => Promise<void>, warn: (message: string) => void): Tell {
  let last = Promise.resolve()
  let waiting = 0
  let said = false
  const tell = (lines: readonly string[]) => {
    waiting += 1
    last = last
      .then(() => send(lines))
      .catch((error: Error) => {
        if (!said) warn(`systemd cannot be told how diagd is (said once): ${error.message}`)
        said = true
      })
      .finally(() => (waiting -= 1))
    return last
  }
  return Object.assign(tell, { busy: () => waiting > 0 })
}
