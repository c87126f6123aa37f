/** What the kernel says, as events: by its words, of versions 4.9 to 6.12. */
import type { Level } from '../events/event.ts'
import type { Row } from './row.ts'

export const KERNEL_ROWS: readonly Row[] = [
  row('kernel.boot', 'info', 'the kernel starts', {
    pattern: /^Linux version (?<version>\S+)/,
    detail: { version: 'version' },
    example:
      'Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2',
  }),
  row('kernel.oom-kill', 'critical', 'the kernel killed a process for want of memory', {
    pattern:
      /^(?:Memory cgroup out|Out) of memory: Kill(?:ed)? process (?<pid>\d+) \((?<process>.+?)\)(?:.*?anon-rss:(?<rssKb>\d+)kB)?(?:.*?UID:(?<uid>\d+))?/,
    subject: 'process',
    detail: { pid: 'pid', rssKb: 'rssKb', uid: 'uid' },
    example:
      'Memory cgroup out of memory: Killed process 4711 (python3) total-vm:612340kB, anon-rss:20204kB, file-rss:5632kB, shmem-rss:0kB, UID:0 pgtables:112kB oom_score_adj:0',
  }),
  row('kernel.oom', 'error', 'memory ran out: in which control group, and who was chosen', {
    pattern:
      /^oom-kill:constraint=(?<constraint>\w+)(?:.*?,task_memcg=(?<group>[^,]*))?.*?,task=(?<process>.*?),pid=(?<pid>\d+)/,
    subject: ['group', 'process'],
    detail: { constraint: 'constraint', group: 'group', process: 'process', pid: 'pid' },
    example:
      'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/system.slice/hog.service,task_memcg=/system.slice/hog.service,task=python3,pid=4711,uid=0',
  }),
  row('kernel.hung-task', 'error', 'a process waits in the kernel and does not come back', {
    pattern: /^(?:INFO: )?task (?<process>.+):(?<pid>\d+) blocked for more than (?<seconds>\d+) seconds/,
    subject: 'process',
    detail: { pid: 'pid', seconds: 'seconds' },
    example: 'INFO: task jbd2/vda1-8:231 blocked for more than 120 seconds.',
  }),
  row('kernel.lockup', 'critical', 'a processor is stuck', {
    pattern: /(?:soft|hard) lockup|rcu_\w+ (?:self-)?detected stall|rcu.*detected (?:expedited )?stall/i,
    example: 'watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:2:91]',
  }),
  row('kernel.panic', 'critical', 'the kernel gives up', {
    pattern: /^Kernel panic - not syncing/,
    example: 'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)',
  }),
  row('kernel.oops', 'critical', 'a fault of the kernel itself', {
    pattern:
      /^(?:BUG: (?:unable to handle|kernel NULL)|Oops[: ]|kernel BUG at |general protection fault|invalid opcode: )/,
    example: 'BUG: unable to handle page fault for address: ffffb1c000a3d000',
  }),
  row('kernel.warning', 'warning', 'the kernel doubts itself', {
    pattern: /^WARNING: CPU: \d+ PID: \d+ at (?<place>\S+)/,
    subject: 'place',
    example: 'WARNING: CPU: 0 PID: 812 at net/sched/sch_generic.c:525 dev_watchdog+0x224/0x230',
  }),
  row('kernel.segfault', 'error', 'a process crashed', {
    pattern: /^(?:traps: )?(?<process>.+?)\[(?<pid>\d+)\]:? (?:(?<fault>segfault|general protection|trap [\w ]+)\b)/,
    subject: 'process',
    detail: { pid: 'pid', fault: 'fault' },
    example: 'app[4711]: segfault at 0 ip 000055d0c8a5f139 sp 00007ffd3f1c2a70 error 4 in app[55d0c8a5f000+1000]',
  }),
  row('kernel.io-error', 'error', 'a disk did not read or write', {
    pattern:
      /(?:I\/O error,? (?:on )?dev(?:ice)? (?<device>[\w-]+)|critical (?:medium|target|space allocation) error, dev (?<disk>[\w-]+)|^(?:nvme )?(?<controller>nvme\d+|ata[\d.]+): (?:I\/O .*timeout|failed command|exception Emask))/,
    subject: ['device', 'disk', 'controller'],
    example: 'blk_update_request: I/O error, dev sda, sector 2048 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0',
  }),
  row('kernel.read-only', 'critical', 'a file system does not take writes any more', {
    pattern:
      /^(?:EXT[234]|BTRFS|F2FS|XFS|jbd2).*?\((?:device )?(?<device>[\w-]+)\).*(?:Remounting filesystem read-only|forced readonly|Shutting down filesystem|shut ?down)/i,
    subject: 'device',
    example: 'EXT4-fs (vda1): Remounting filesystem read-only',
  }),
  row('kernel.fs-error', 'error', 'a file system is damaged', {
    pattern:
      /^(?:EXT[234]-fs error \(device (?<device>[\w-]+)\)|XFS \((?<xfs>[\w-]+)\): .*(?:corrupt|internal error|metadata I\/O error)|BTRFS (?:error|critical)[^(]*\(device (?<btrfs>[\w-]+)[^)]*\)|Aborting journal on device (?<journal>[\w-]+)|JBD2: Detected IO errors while flushing file data on (?<jbd>[\w-]+))/i,
    subject: ['device', 'xfs', 'btrfs', 'journal', 'jbd'],
    example: 'EXT4-fs error (device vda1): ext4_lookup:1855: inode #131073: comm ls: deleted inode referenced: 131099',
  }),
  row('kernel.fs-full', 'error', 'a file system had no room for what was written', {
    pattern:
      /^EXT4-fs \((?<device>[\w-]+)\): Delayed block allocation failed .* with (?:max blocks \d+ with )?error 28|^(?<other>BTRFS|XFS).*(?:no space|ENOSPC)/i,
    subject: ['device', 'other'],
    example:
      'EXT4-fs (vda1): Delayed block allocation failed for inode 12 at logical offset 0 with max blocks 8 with error 28',
  }),
  row('kernel.fs-recovery', 'warning', 'a file system was not unmounted last time, and was repaired', {
    pattern:
      /^(?:EXT[234]-fs \((?<device>[\w-]+)\): (?:recovery complete|.*orphan.* cleanup)|XFS \((?<xfs>[\w-]+)\): (?:Starting|Ending) recovery|FAT-fs \((?<fat>[\w-]+)\): Volume was not properly unmounted|BTRFS info \(device (?<btrfs>[\w-]+)[^)]*\): .*(?:start tree-log replay|checking UUID tree))/i,
    subject: ['device', 'xfs', 'fat', 'btrfs'],
    example: 'EXT4-fs (vda1): recovery complete',
  }),
  row('kernel.link-down', 'warning', 'a network interface lost its link', {
    pattern:
      /(?:^|[\s:])(?<interface>(?!veth|br-|docker)[\w.-]+)(?:: NIC| NIC|:)? (?:Link is Down|link (?:is )?down\b|status definitely down)/i,
    subject: 'interface',
    example: 'e1000e 0000:00:1f.6 eth0: NIC Link is Down',
  }),
  row('kernel.link-up', 'info', 'a network interface has its link', {
    pattern:
      /(?:^|[\s:])(?<interface>(?!veth|br-|docker)[\w.-]+)(?:: NIC| NIC|:)? (?:Link is Up\b|link (?:is )?up\b|link becomes ready)/i,
    subject: 'interface',
    example: 'IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready',
  }),
  row('kernel.machine-check', 'critical', 'the hardware reports an error', {
    pattern:
      /^(?:mce: )?\[Hardware Error\]|^mce: .*Machine check|^EDAC \w+: \d+ (?:CE|UE)\b|^Machine check events logged/,
    example: 'mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 5: bea0000000000108',
  }),
  row('kernel.conntrack-full', 'error', 'connections are dropped: the table of them is full', {
    pattern: /^nf_conntrack: (?:nf_conntrack: )?table full, dropping packet/,
    example: 'nf_conntrack: nf_conntrack: table full, dropping packet',
  }),
  row('kernel.syn-flood', 'warning', 'more connections come than a program takes', {
    pattern: /possible SYN flooding on port (?<port>[\w.:[\]]+?)\.(?:\s|$)/i,
    subject: 'port',
    example: 'TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies.  Check SNMP counters.',
  }),
  row('kernel.clock', 'warning', 'the kernel does not trust a clock of the machine', {
    pattern: /^clocksource: timekeeping watchdog on .*Marking clocksource '(?<clock>[\w-]+)' as unstable/,
    subject: 'clock',
    example:
      "clocksource: timekeeping watchdog on CPU0: Marking clocksource 'tsc' as unstable because the skew is too large:",
  }),
]

function row(
  type: string,
  level: Level,
  title: string,
  rest: Pick<Row, 'pattern' | 'subject' | 'detail'> & { readonly example: string },
): Row {
  const example = { MESSAGE: rest.example, _TRANSPORT: 'kernel', SYSLOG_IDENTIFIER: 'kernel' }
  return { type, level, title, from: 'kernel', source: 'kernel', ...rest, example }
}
