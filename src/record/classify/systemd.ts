/** What systemd says, as events. By MESSAGE_ID where there is one: the words change with versions. */
import type { Row } from './row.ts'

const UNIT_FAILED = 'd9b373ed55a64feb8242e02dbe79a49c'
const STARTED = '39f53479d3a045ac8e11786248231fbf'
const BEGINS = '7d4958e842da4a758f6c1cdc7b36dcc5'
const STOPS = 'de5b426a63be47a7b6ac3eaac82e2f6f'
const STOPPED = '9d1aaa27d60140bd96365438aad20286'
const JOB_FAILED = 'be02cf6855d2428ba40df7e9d022f03d'
const SYSTEM_DOWN = /^(?:reboot|poweroff|halt|kexec|soft-reboot|exit)\.target$/
const SERVICE = /\.service$/
const said = { from: 'systemd', source: 'systemd' } as const
const by = { ...said, subject: 'UNIT' } as const

export const SYSTEMD_ROWS: readonly Row[] = [
  {
    ...by,
    type: 'unit.failed',
    level: 'error',
    title: 'a unit failed, and how: exit-code, signal, timeout, oom-kill, watchdog, …',
    ids: [UNIT_FAILED],
    detail: { result: 'UNIT_RESULT', invocationId: 'INVOCATION_ID' },
    example: {
      MESSAGE: "flaky.service: Failed with result 'exit-code'.",
      MESSAGE_ID: UNIT_FAILED,
      UNIT: 'flaky.service',
      UNIT_RESULT: 'exit-code',
    },
  },
  {
    ...by,
    type: 'unit.failed',
    level: 'error',
    title: 'the same from a systemd before 239, which has no MESSAGE_ID for it',
    pattern: /^(?<unit>[^\s:]+): (?:Unit entered failed state|Failed with result '(?<result>[\w-]+)')/,
    subject: ['UNIT', 'unit'],
    detail: { result: 'result' },
    example: { MESSAGE: "flaky.service: Failed with result 'exit-code'.", UNIT: 'flaky.service' },
  },
  {
    ...by,
    type: 'unit.start-limit',
    level: 'error',
    title: 'a unit was started too often in too short a time, and systemd gave it up',
    pattern: /^(?<unit>[^\s:]+): Start request repeated too quickly/,
    subject: ['UNIT', 'unit'],
    example: { MESSAGE: 'flaky.service: Start request repeated too quickly.', UNIT: 'flaky.service' },
  },
  {
    ...by,
    type: 'unit.job-failed',
    level: 'error',
    title: 'a unit was not started: what it needs failed (dependency), or did not come in time (timeout)',
    ids: [JOB_FAILED],
    // When the unit itself failed, unit.failed has said so.
    where: { JOB_RESULT: /^(?!failed|done)/ },
    detail: { result: 'JOB_RESULT', job: 'JOB_TYPE' },
    example: {
      MESSAGE: 'Dependency failed for needs-flaky.service - Needs something that does not come.',
      MESSAGE_ID: JOB_FAILED,
      UNIT: 'needs-flaky.service',
      JOB_TYPE: 'start',
      JOB_RESULT: 'dependency',
    },
  },
  {
    ...by,
    type: 'unit.main-exited',
    level: 'warning',
    title: 'the process of a service ended otherwise than it should',
    ids: ['98e322203f7a4ed290d09fe03c09fe15'],
    where: { PRIORITY: /^[0-5]$/ },
    detail: { code: 'EXIT_CODE', status: 'EXIT_STATUS', command: 'COMMAND' },
    example: {
      MESSAGE: 'flaky.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED',
      MESSAGE_ID: '98e322203f7a4ed290d09fe03c09fe15',
      PRIORITY: '5',
      UNIT: 'flaky.service',
      EXIT_CODE: 'exited',
      EXIT_STATUS: '3',
    },
  },
  {
    ...by,
    type: 'unit.restart-scheduled',
    level: 'warning',
    title: 'systemd restarts a unit by itself; how often it did so far',
    ids: ['5eb03494b6584870a536b337290809b3'],
    detail: { restarts: 'N_RESTARTS' },
    example: {
      MESSAGE: 'flaky.service: Scheduled restart job, restart counter is at 2.',
      MESSAGE_ID: '5eb03494b6584870a536b337290809b3',
      UNIT: 'flaky.service',
      N_RESTARTS: '2',
    },
  },
  {
    ...by,
    type: 'unit.oom-killed',
    level: 'error',
    title: 'a process of a unit was killed for want of memory',
    ids: ['fe6faa94e7774663a0da52717891d8ef', 'd989611b15e44c9dbf31e3c81256e4ed'],
    example: {
      MESSAGE: 'hog.service: A process of this unit has been killed by the OOM killer.',
      MESSAGE_ID: 'fe6faa94e7774663a0da52717891d8ef',
      UNIT: 'hog.service',
    },
  },
  {
    ...by,
    type: 'system.shutdown',
    level: 'warning',
    title: 'the machine goes down: reboot, poweroff, halt, kexec',
    ids: [STARTED],
    where: { UNIT: SYSTEM_DOWN },
    example: { MESSAGE: 'Reached target reboot.target - System Reboot.', MESSAGE_ID: STARTED, UNIT: 'reboot.target' },
  },
  {
    ...by,
    type: 'target.reached',
    level: 'info',
    title: 'a stage of the boot is complete',
    ids: [STARTED],
    where: { UNIT: /\.target$/ },
    example: {
      MESSAGE: 'Reached target multi-user.target - Multi-User System.',
      MESSAGE_ID: STARTED,
      UNIT: 'multi-user.target',
    },
  },
  {
    ...by,
    type: 'unit.starting',
    level: 'debug',
    title: 'a service that takes its time begins to start',
    ids: [BEGINS],
    where: { UNIT: SERVICE },
    detail: { job: 'JOB_TYPE' },
    example: {
      MESSAGE: 'Starting docker.service - Docker Application Container Engine...',
      MESSAGE_ID: BEGINS,
      UNIT: 'docker.service',
      JOB_TYPE: 'start',
    },
  },
  {
    ...by,
    type: 'unit.started',
    level: 'info',
    title: 'a service runs, or has done its work',
    ids: [STARTED],
    where: { UNIT: SERVICE },
    detail: { job: 'JOB_TYPE' },
    example: {
      MESSAGE: 'Started docker.service - Docker Application Container Engine.',
      MESSAGE_ID: STARTED,
      UNIT: 'docker.service',
      JOB_TYPE: 'start',
    },
  },
  {
    ...by,
    type: 'unit.stopping',
    level: 'debug',
    title: 'a service is being stopped',
    ids: [STOPS],
    where: { UNIT: SERVICE },
    detail: { job: 'JOB_TYPE' },
    example: {
      MESSAGE: 'Stopping docker.service - Docker Application Container Engine...',
      MESSAGE_ID: STOPS,
      UNIT: 'docker.service',
      JOB_TYPE: 'stop',
    },
  },
  {
    ...by,
    type: 'unit.stopped',
    level: 'info',
    title: 'a service was stopped',
    ids: [STOPPED],
    where: { UNIT: SERVICE },
    detail: { job: 'JOB_TYPE' },
    example: {
      MESSAGE: 'Stopped docker.service - Docker Application Container Engine.',
      MESSAGE_ID: STOPPED,
      UNIT: 'docker.service',
      JOB_TYPE: 'restart',
    },
  },
  {
    ...said,
    type: 'system.started',
    level: 'info',
    title: 'start-up is complete, and how long kernel, initrd and user space took (microseconds)',
    // The second one in a container, which has no kernel of its own to start.
    ids: ['b07a249cd024414a82dd00cd181378ff', 'eed00a68ffd84e31882105fd973abdd1'],
    detail: { kernelUs: 'KERNEL_USEC', initrdUs: 'INITRD_USEC', userspaceUs: 'USERSPACE_USEC' },
    example: {
      MESSAGE: 'Startup finished in 1.894s (kernel) + 4.842s (userspace) = 6.736s.',
      MESSAGE_ID: 'b07a249cd024414a82dd00cd181378ff',
      KERNEL_USEC: '1894000',
      USERSPACE_USEC: '4842000',
    },
  },
  {
    ...said,
    type: 'clock.changed',
    level: 'info',
    title: 'the clock was set',
    ids: ['c7a787079b354eaaa9e77b371893cd27'],
    example: { MESSAGE: 'Time has been changed', MESSAGE_ID: 'c7a787079b354eaaa9e77b371893cd27' },
  },
  {
    ...by,
    type: 'disk.full',
    level: 'error',
    title: 'systemd met a full disk',
    pattern: /No space left on device/,
    subject: ['UNIT'],
    example: {
      MESSAGE: 'app.service: Failed to set up mount namespacing: No space left on device',
      UNIT: 'app.service',
    },
  },
]
