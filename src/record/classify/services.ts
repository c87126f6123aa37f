/** What journald and services of the system say, as events. */
import type { Row } from './row.ts'

const JOURNALD = { from: 'journald', source: 'systemd' } as const
const SHUTDOWN = '98268866d1d54a499c4e98921d93bc40'
const SLEEPS = '6bbd95ee977941e497c48be27c254128'
const WAKES = '8811e6df2a8e40f58a94cea26f8ebf14'
const CORE_DUMP = 'fc2e22bc6ee647b6b90729ab34a250b1'
const CONTAINERD = /^containerd\.service$|^docker\.service$/

export const JOURNALD_ROWS: readonly Row[] = [
  {
    ...JOURNALD,
    type: 'journal.started',
    level: 'info',
    title: 'journald runs; once in a boot, unless it was restarted or crashed',
    ids: ['f77379a8490b408bbe5f6940505a777b'],
    example: { MESSAGE: 'Journal started', MESSAGE_ID: 'f77379a8490b408bbe5f6940505a777b' },
  },
  {
    ...JOURNALD,
    type: 'journal.stopped',
    level: 'info',
    title: 'journald ends in good order; the last word of a boot that did, too',
    ids: ['d93fb3c9c24d451a97cea615ce59c00b'],
    example: { MESSAGE: 'Journal stopped', MESSAGE_ID: 'd93fb3c9c24d451a97cea615ce59c00b' },
  },
  {
    ...JOURNALD,
    type: 'journal.suppressed',
    level: 'warning',
    title: 'journald dropped messages of a service that wrote too many',
    ids: ['a596d6fe7bfa4994828e72309e95d61e'],
    pattern: /^Suppressed (?<messages>\d+) messages from (?<unit>.+)$/,
    subject: ['UNIT', 'unit'],
    detail: { messages: 'messages' },
    example: {
      MESSAGE: 'Suppressed 4711 messages from app.service',
      MESSAGE_ID: 'a596d6fe7bfa4994828e72309e95d61e',
    },
  },
  {
    ...JOURNALD,
    type: 'journal.missed',
    level: 'warning',
    title: 'messages of the kernel were lost before journald read them',
    ids: ['e9bf28e6e834481bb6f48f548ad13606'],
    pattern: /^Missed (?<messages>\d+) kernel messages/,
    detail: { messages: 'messages' },
    example: { MESSAGE: 'Missed 17 kernel messages', MESSAGE_ID: 'e9bf28e6e834481bb6f48f548ad13606' },
  },
  {
    ...JOURNALD,
    type: 'journal.unclean',
    level: 'warning',
    title: 'a file of the journal was not closed: the machine or journald ended without notice, or the file is damaged',
    pattern: /^File (?<file>\S+) corrupted or uncleanly shut down, renaming and replacing/,
    subject: 'file',
    example: {
      MESSAGE:
        'File /var/log/journal/4d2f6c1e8a6b4c0e9a3f0d1e2f3a4b5c/system.journal corrupted or uncleanly shut down, renaming and replacing.',
    },
  },
  {
    ...JOURNALD,
    type: 'journal.vacuumed',
    level: 'info',
    title: 'old files of the journal were removed to make room',
    pattern: /^Vacuuming done, freed (?<freed>(?!0B)\S+) of archived journals/,
    detail: { freed: 'freed' },
    example: {
      MESSAGE:
        'Vacuuming done, freed 104.0M of archived journals from /var/log/journal/4d2f6c1e8a6b4c0e9a3f0d1e2f3a4b5c.',
    },
  },
  {
    ...JOURNALD,
    type: 'journal.rotated',
    level: 'info',
    title: 'journald began a new file',
    pattern: /suggesting rotation|, rotating\.|client request to rotate/,
    example: { MESSAGE: 'Received client request to rotate journal, rotating.' },
  },
  {
    ...JOURNALD,
    type: 'disk.full',
    level: 'error',
    title: 'journald met a full disk',
    pattern: /No space left on device/,
    example: { MESSAGE: 'Failed to write entry (22 items, 765 bytes), ignoring: No space left on device' },
  },
]

export const SERVICE_ROWS: readonly Row[] = [
  {
    type: 'system.shutdown-requested',
    level: 'warning',
    source: 'systemd',
    title: 'somebody asked for a reboot or a shutdown',
    from: 'service',
    where: { _SYSTEMD_UNIT: /^systemd-logind\.service$/ },
    ids: [SHUTDOWN],
    subject: 'SHUTDOWN',
    example: {
      MESSAGE: 'System is rebooting.',
      MESSAGE_ID: SHUTDOWN,
      SHUTDOWN: 'reboot',
      _SYSTEMD_UNIT: 'systemd-logind.service',
    },
  },
  {
    type: 'system.suspend',
    level: 'info',
    source: 'systemd',
    title: 'the machine goes to sleep',
    from: 'service',
    where: { _SYSTEMD_UNIT: /^systemd-(?:suspend|hibernate|hybrid-sleep|suspend-then-hibernate)\.service$/ },
    ids: [SLEEPS],
    subject: 'SLEEP',
    example: {
      MESSAGE: 'Entering sleep state suspend...',
      MESSAGE_ID: SLEEPS,
      SLEEP: 'suspend',
      _SYSTEMD_UNIT: 'systemd-suspend.service',
    },
  },
  {
    type: 'system.resume',
    level: 'info',
    source: 'systemd',
    title: 'the machine woke up',
    from: 'service',
    where: { _SYSTEMD_UNIT: /^systemd-(?:suspend|hibernate|hybrid-sleep|suspend-then-hibernate)\.service$/ },
    ids: [WAKES],
    subject: 'SLEEP',
    example: {
      MESSAGE: "System returned from sleep operation 'suspend'.",
      MESSAGE_ID: WAKES,
      SLEEP: 'suspend',
      _SYSTEMD_UNIT: 'systemd-suspend.service',
    },
  },
  {
    type: 'process.core-dump',
    level: 'error',
    source: 'systemd',
    title: 'a process crashed and left a core dump',
    from: 'service',
    where: { _SYSTEMD_UNIT: /^systemd-coredump@/ },
    ids: [CORE_DUMP],
    subject: ['COREDUMP_UNIT', 'COREDUMP_COMM'],
    detail: { executable: 'COREDUMP_EXE', pid: 'COREDUMP_PID', signal: 'COREDUMP_SIGNAL_NAME' },
    example: {
      MESSAGE: 'Process 4711 (app) of user 0 dumped core.',
      MESSAGE_ID: CORE_DUMP,
      COREDUMP_UNIT: 'app.service',
      COREDUMP_COMM: 'app',
      COREDUMP_EXE: '/usr/bin/app',
      COREDUMP_PID: '4711',
      COREDUMP_SIGNAL_NAME: 'SIGSEGV',
      _SYSTEMD_UNIT: 'systemd-coredump@0-4712-0.service',
    },
  },
  {
    type: 'clock.synchronized',
    level: 'info',
    source: 'systemd',
    title: 'the clock was set by a time server for the first time in this boot',
    from: 'service',
    where: { _SYSTEMD_UNIT: /^systemd-timesyncd\.service$/ },
    pattern: /^(?:Initial clock synchronization|Initial synchronization|Synchronized to time server)/,
    example: {
      MESSAGE: 'Initial clock synchronization to Sat 2026-11-21 16:47:23.187458 UTC.',
      _SYSTEMD_UNIT: 'systemd-timesyncd.service',
    },
  },
  {
    type: 'clock.stepped',
    level: 'warning',
    source: 'systemd',
    title: 'chrony set the clock, and by how much',
    from: 'service',
    where: { _SYSTEMD_UNIT: /^chronyd?\.service$/ },
    pattern: /^System clock (?:was stepped by (?<seconds>-?[\d.]+) seconds|wrong by (?<wrong>-?[\d.]+) seconds)/,
    detail: { seconds: 'seconds', wrongBySeconds: 'wrong' },
    example: { MESSAGE: 'System clock was stepped by -3600.123456 seconds', _SYSTEMD_UNIT: 'chrony.service' },
  },
  {
    type: 'engine.ready',
    level: 'info',
    source: 'container',
    title: 'Docker takes commands',
    from: 'service',
    where: { _SYSTEMD_UNIT: /^docker\.service$/ },
    pattern: /msg="Daemon has completed initialization"/,
    example: {
      MESSAGE: 'time="2026-11-21T16:47:24.340143621Z" level=info msg="Daemon has completed initialization"',
      _SYSTEMD_UNIT: 'docker.service',
    },
  },
  {
    type: 'container.started',
    level: 'info',
    source: 'container',
    title: 'a process begins in a container (its id), as containerd tells',
    from: 'service',
    where: { _SYSTEMD_UNIT: CONTAINERD },
    pattern: /msg="(?:starting signal loop" .*?path=\S*?\/|connecting to shim )(?<container>[0-9a-f]{64})/,
    subject: 'container',
    example: {
      MESSAGE: `time="2026-11-21T16:47:24.340143621Z" level=info msg="starting signal loop" namespace=moby path=/run/containerd/io.containerd.runtime.v2.task/moby/${'3f'.repeat(32)} pid=812 runtime=io.containerd.runc.v2`,
      _SYSTEMD_UNIT: 'containerd.service',
    },
  },
  {
    type: 'container.ended',
    level: 'info',
    source: 'container',
    title: 'a container (its id) ended, as containerd tells',
    from: 'service',
    where: { _SYSTEMD_UNIT: CONTAINERD },
    pattern: /msg="shim disconnected" .*?\bid=(?<container>[0-9a-f]{64})/,
    subject: 'container',
    example: {
      MESSAGE: `time="2026-11-21T16:47:35.844847131Z" level=info msg="shim disconnected" id=${'3f'.repeat(32)}`,
      _SYSTEMD_UNIT: 'containerd.service',
    },
  },
  {
    type: 'disk.full',
    level: 'error',
    source: 'container',
    title: 'the container engine met a full disk',
    from: 'service',
    where: { _SYSTEMD_UNIT: CONTAINERD },
    pattern: /no space left on device/i,
    example: {
      MESSAGE:
        'time="2026-11-21T16:47:35.844847131Z" level=error msg="Handler for POST /v1.41/images/create returned error: write /var/lib/docker/tmp/GetImageBlob1: no space left on device"',
      _SYSTEMD_UNIT: 'docker.service',
    },
  },
]
