/**
 * One message to the socket of sd_notify. Node.js has no datagram sockets of the unix kind, and the add-ons that have them need a
 * compiler; so the message goes through `systemd-notify`, which is wherever systemd is: 6 to 10 ms a call.
 * It knows path names, abstract names (@name) and vsock, and it waits until systemd has taken the message.
 */
import { execFile } from 'node:child_process'
import { findCommand } from '../sources/lookup.ts'

/** A machine that cannot run it in so long has other troubles than a status that is old. */
const TIMEOUT_MS = 60_000

/** @throws Error that says why it was not told. */
export function sendNotification(socket: string, lines: readonly string[], path: string): Promise<void> {
  const file = findCommand('systemd-notify', path)
  if (file === undefined) return Promise.reject(new Error(`NOTIFY_SOCKET is set, but there is no systemd-notify`))
  const env = { PATH: path, LC_ALL: 'C.UTF-8', NOTIFY_SOCKET: socket }
  return new Promise((resolve, reject) => {
    execFile(file, lines, { cwd: '/', env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' }, (error, _stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() || error.message))
      else resolve()
    })
  })
}
