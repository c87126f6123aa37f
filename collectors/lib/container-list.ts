/** What is used of one container in the answer to `GET /containers/json`. */
export interface ListedContainer {
  readonly Id: string
  readonly Names?: readonly string[] | null
  /** `running`, `exited`, `created`, `paused`, `restarting`, `removing`, `dead`; podman: `configured`, `stopped`… too. */
  readonly State: string
  /** For people: `Exited (137) 2 hours ago`. */
  readonly Status?: string
  /** Epoch seconds. */
  readonly Created: number
}

/** In trouble first, then the stopped, then the healthy; the newest first among equals. */
export function deadFirst(containers: readonly ListedContainer[]): ListedContainer[] {
  return containers.toSorted((a, b) => rank(a) - rank(b) || b.Created - a.Created)
}

function rank({ State, Status = '' }: ListedContainer): number {
  if (State === 'dead' || State === 'restarting' || State === 'removing') return 0
  if (State === 'exited' || State === 'stopped') return Status.startsWith('Exited (0)') ? 2 : 1
  if (Status.includes('(unhealthy)')) return 1
  return State === 'running' ? 4 : 3
}

/** A container has further names when others link to it: `/other/alias`. */
export function nameOf({ Names }: Pick<ListedContainer, 'Names'>): string {
  const names = (Names ?? []).map((name) => name.replace(/^\//, ''))
  return names.find((each) => !each.includes('/')) ?? names[0] ?? 'unnamed'
}

/** `<name>-<id12>` */
export function folderOf(container: ListedContainer): string {
  const name = nameOf(container)
  return `${name.replaceAll(/[^\w.-]+/g, '_').slice(0, 200)}-${container.Id.slice(0, 12)}`
}

/** Only of these there are processes to list; of others the engine refuses. */
export const hasProcesses = ({ State }: ListedContainer) => State === 'running' || State === 'paused'

/** The answer to `GET /containers/ID/top` as columns. */
export function processTable({ Titles, Processes }: { Titles: string[]; Processes: string[][] | null }): string {
  const rows = [Titles, ...(Processes ?? [])]
  const widths = Titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join(' ')
          .trimEnd()}\n`,
    )
    .join('')
}
