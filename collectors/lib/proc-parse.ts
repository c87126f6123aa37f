/** Parsers of /proc/PID/* (man 5 proc). No I/O. */

/** The kernel shows times to user space in ticks of 1/100 s on every architecture diagd runs on (USER_HZ). */
export const ticksPerSecond = 100

export interface Stat {
  readonly comm: string
  /** R running, S sleeping, D disk sleep, Z zombie, T stopped, t traced, I idle kernel thread, X dead. */
  readonly state: string
  readonly ppid: number
  readonly kernelThread: boolean
  /** User and system time, in ticks. */
  readonly cpuTicks: number
  readonly threads: number
  /** Since boot, in ticks. */
  readonly startTicks: number
}

/** /proc/PID/stat, and /proc/PID/task/TID/stat. The name may hold spaces and brackets: the last `)` ends it. */
export function parseStat(text: string): Stat | undefined {
  const end = text.lastIndexOf(')')
  const fields = text.slice(end + 2).split(' ')
  if (end < 0 || fields.length < 20) return undefined
  const number = (index: number) => Number(fields[index])
  return {
    comm: text.slice(text.indexOf('(') + 1, end),
    state: fields[0]!,
    ppid: number(1),
    kernelThread: (number(6) & 0x20_0000) !== 0, // PF_KTHREAD
    cpuTicks: number(11) + number(12),
    threads: number(17),
    startTicks: number(19),
  }
}

/** /proc/PID/status: the owner, and memory in bytes (0 for kernel threads and zombies). */
export function parseStatus(text: string): { uid: number; rssBytes: number; swapBytes: number } {
  const value = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { uid: value('Uid'), rssBytes: value('VmRSS') * 1024, swapBytes: value('VmSwap') * 1024 }
}

/** /proc/PID/cgroup: the v2 path, else systemd's v1 hierarchy, else the first that is not the root. */
export function parseCgroup(text: string): string {
  const rows = text.split('\n').flatMap((line) => {
    const [, , controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? []
    return path === undefined ? [] : [{ controllers, path }]
  })
  const inside = rows.filter((row) => row.path !== '/')
  const best =
    inside.find((row) => row.controllers === '') ??
    inside.find((row) => row.controllers === 'name=systemd') ??
    inside[0] ??
    rows[0]
  return best?.path ?? ''
}

/** /proc/PID/io: bytes that went to and came from block devices since the start. */
export function parseIo(text: string): { readBytes: number; writeBytes: number } {
  const value = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { readBytes: value('read_bytes'), writeBytes: value('write_bytes') }
}

/** /proc/PID/limits: the soft limit of open files; Infinity where unlimited. */
export function parseOpenFilesLimit(text: string): number | undefined {
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1]
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Infinity : Number(soft)
}

/** /proc/PID/cmdline: the arguments; a program that writes its own title leaves one argument. */
export const parseCmdline = (text: string): string[] => (text === '' ? [] : text.replace(/\0+$/, '').split('\0'))

/** /etc/passwd: names by uid; the first name of an id counts, as everywhere. */
export function parsePasswd(text: string): Map<number, string> {
  const names = new Map<number, string>()
  for (const line of text.split('\n')) {
    const [name, , uid] = line.split(':')
    if (name && uid && !names.has(Number(uid))) names.set(Number(uid), name)
  }
  return names
}

/** /proc/stat: when the machine booted, epoch milliseconds (whole seconds; it moves when the clock is set). */
export const parseBootTimeMs = (text: string): number => Number(/^btime (\d+)$/m.exec(text)?.[1] ?? Number.NaN) * 1000
