/** The table of tracked connections: how full it is, and what it dropped. No I/O. */
import { percent, table } from './proc-text.ts'

/** `settings`: the files of /proc/sys/net/netfilter; `stat`: /proc/net/stat/nf_conntrack (hexadecimal, a row per CPU). */
export function conntrackText(settings: ReadonlyMap<string, string>, stat: string | undefined): string {
  const [count = '?', max = '?'] = ['count', 'max'].map((name) => settings.get(`nf_conntrack_${name}`))
  const used = percent(Number(count), Number(max), 1)
  return [
    `${count} of at most ${max} connections are tracked (${used}). Once full, new connections are dropped.\n`,
    stat === undefined ? 'The counters of /proc/net/stat/nf_conntrack are not there.\n' : counters(stat),
    table(['SETTING', '>VALUE'], [...settings]),
  ].join('\n')
}

function counters(stat: string): string {
  const [titles = [], ...cpus] = stat
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const rows = titles.map((title, column) => {
    const sum = cpus.reduce((total, row) => total + Number.parseInt(row[column] ?? '0', 16), 0)
    return [title, sum, meanings[title] ?? '']
  })
  // The first column repeats the size of the table for every CPU.
  return `Counted since boot, ${cpus.length} CPUs together:\n\n${table(['COUNTER', '>SUM', 'MEANING'], rows.slice(1))}`
}

const meanings: Record<string, string> = {
  drop: 'packets dropped: the table was full or the connection could not be added',
  early_drop: 'connections thrown out to make room for new ones',
  insert_failed: 'connections lost in a race of two packets',
  invalid: 'packets that belong to no connection',
  search_restart: 'look-ups repeated because the table was resized',
}
