/** Finds what went wrong in a kernel log: which lines, of which kind. */

/** Lines shown of one kind: the first, which tell the cause, and the newest. The whole log is beside it. */
const firstLines = 10
const newestLines = 40

/** In the order of the report: what most often explains a dead machine comes first. */
const kinds: readonly (readonly [title: string, pattern: RegExp])[] = [
  [
    'Kernel panics, oopses and warnings',
    /Kernel panic|kernel BUG at|\bBUG: |\bOops: |WARNING: (CPU: \d|\S+:\d+ at |possible |suspicious |bad |inconsistent |stack )|unable to handle/,
  ],
  [
    'OOM kills',
    /invoked oom-killer|oom-kill:|Out of memory: |Memory cgroup out of memory|oom_reaper: |Killed process \d/,
  ],
  [
    'Hung tasks and lockups',
    /blocked for more than \d+ seconds|soft lockup|hard LOCKUP|workqueue lockup|rcu\w*: .*(detected stalls|self-detected stall|kthread starved)/i,
  ],
  [
    'I/O and file system errors',
    /I\/O error|critical (medium|target|space allocation|nexus) error|(EXT4-fs|BTRFS) (error|critical|warning)|XFS .*(error|corrupt|shutting down)|Remounting filesystem read-only|nvme\S*: .*(timeout|resetting|I\/O \d+ QID|controller is down)|\bata[\d.]+: .*(exception|failed|error|hard resetting)|\[sd\w+\].*FAILED|rejecting I\/O|device offline|nfs: server .*(not responding|timed out)/,
  ],
  [
    'Machine checks and other hardware errors',
    /\bmce: |Machine check|Hardware Error|\bEDAC .*\b(CE|UE)\b|\bAER: .*error|PCIe Bus Error|temperature above threshold|clock throttled/i,
  ],
  ['Crashed processes', /segfault at |general protection|trap invalid opcode|traps: .* trap |trap divide error/],
  [
    'Network and tables that were full',
    /NETDEV WATCHDOG|nf_conntrack: .*table full|neighbou?r table overflow|TCP: out of memory|Out of socket memory|possible SYN flooding|link is (not ready|down)|NIC Link is Down/i,
  ],
  ['Clock', /clocksource: .*(unstable|Marking|skew)|TSC unstable|timekeeping watchdog/i],
  ['Taint', /taints? kernel|tainting kernel|disabling lock debugging due to kernel taint/i],
]

interface Problem {
  readonly title: string
  readonly lines: readonly string[]
}

/** Only the kinds that occur. A line counts once, for the first kind it fits. */
function kernelProblems(log: string): Problem[] {
  const found = kinds.map(([title, pattern]) => ({ title, pattern, lines: [] as string[] }))
  for (const line of log.split('\n')) found.find(({ pattern }) => pattern.test(line))?.lines.push(line)
  return found.filter(({ lines }) => lines.length > 0).map(({ title, lines }) => ({ title, lines }))
}

/** The problems of one log as text under a heading that says which log it is. */
export function problemsText(heading: string, log: string): string {
  const problems = kernelProblems(log)
  const counts = problems.map(({ title, lines }) => `  ${String(lines.length).padStart(6)}  ${title}`)
  const summary = problems.length === 0 ? ['  nothing found'] : counts
  const sections = problems.map(({ title, lines }) => `\n--- ${title} (${lines.length})\n${shown(lines).join('\n')}`)
  return [`=== ${heading}`, ...summary, ...sections, ''].join('\n')
}

function shown(lines: readonly string[]): readonly string[] {
  const hidden = lines.length - firstLines - newestLines
  if (hidden <= 0) return lines
  return [...lines.slice(0, firstLines), `[${hidden} lines left out]`, ...lines.slice(-newestLines)]
}
