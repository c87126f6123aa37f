/** Which services systemd had to start again. No I/O. */
import { table } from './proc-text.ts'
import { type Properties, parseShow } from './systemd-show.ts'

/** What to ask `systemctl show` for. */
export const restartsProperties = [
  'Id',
  'NRestarts',
  'ActiveState',
  'SubState',
  'Result',
  'ExecMainCode',
  'ExecMainStatus',
]

/** Names of the services that were restarted, most restarts first. */
export const restartedUnits = (show: string): string[] => mostFirst(show).map((unit) => unit['Id'] ?? '?')

/** A table, most restarts first. A service in a restart loop is hardly ever found in the state "failed". */
export function restartsText(show: string): string {
  const restarted = mostFirst(show)
  if (restarted.length === 0)
    return 'No service was restarted by systemd since it was last started by hand or at boot.\n'
  const rows = restarted.map((unit) => [
    unit['NRestarts'] ?? '?',
    unit['Id'] ?? '?',
    `${unit['ActiveState']} (${unit['SubState']})`,
    unit['Result'] ?? '?',
    lastExit(unit),
  ])
  return `Automatic restarts (Restart=) since the service was last started by hand or at boot.\n\n${table(['>RESTARTS', 'SERVICE', 'STATE NOW', 'RESULT', 'LAST EXIT OF ITS MAIN PROCESS'], rows)}`
}

function mostFirst(show: string): Properties[] {
  const restarted = parseShow(show).filter((unit) => Number(unit['NRestarts']) > 0)
  return restarted.sort((a, b) => Number(b['NRestarts']) - Number(a['NRestarts']))
}

/** ExecMainCode is the `CLD_…` of waitid(2): 1 exited, 2 killed, 3 killed with a core dump. */
function lastExit({ ExecMainCode: code, ExecMainStatus: status }: Properties): string {
  if (code === '1') return `exit code ${status}`
  if (code === '2' || code === '3') return `signal ${status}${code === '3' ? ', core dumped' : ''}`
  return 'still running'
}
