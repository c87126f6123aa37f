/** Lines of the journal that tell of a boot: what to ask journalctl for, and its answer. No I/O. */

/** What systemd's MESSAGE_ID says, as far as it matters here (systemd's sd-messages.h). */
export const MESSAGES = {
  starting: '7d4958e842da4a758f6c1cdc7b36dcc5',
  started: '39f53479d3a045ac8e11786248231fbf',
  startFailed: 'be02cf6855d2428ba40df7e9d022f03d',
  stopping: 'de5b426a63be47a7b6ac3eaac82e2f6f',
  stopped: '9d1aaa27d60140bd96365438aad20286',
  processExited: '98e322203f7a4ed290d09fe03c09fe15',
  unitFailed: 'd9b373ed55a64feb8242e02dbe79a49c',
  restartScheduled: '5eb03494b6584870a536b337290809b3',
  startupFinished: 'b07a249cd024414a82dd00cd181378ff',
  /** What systemd says in a container, where it does not know the kernel's part. */
  userspaceFinished: 'eed00a68ffd84e31882105fd973abdd1',
  sleep: '6bbd95ee977941e497c48be27c254128',
  shutdown: '98268866d1d54a499c4e98921d93bc40',
} as const

type MessageKind = keyof typeof MESSAGES

/** Whatever systemd itself says of units and of the start, and that somebody asked logind to shut down. */
export const unitMatches: readonly string[] = [
  '_PID=1',
  ...Object.values(MESSAGES).map((id) => `MESSAGE_ID=${id}`),
  '+',
  `MESSAGE_ID=${MESSAGES.shutdown}`,
]

const FIELDS =
  'MESSAGE MESSAGE_ID UNIT JOB_TYPE JOB_RESULT EXIT_CODE EXIT_STATUS UNIT_RESULT N_RESTARTS KERNEL_USEC INITRD_USEC ' +
  'USERSPACE_USEC SYSLOG_IDENTIFIER _SOURCE_REALTIME_TIMESTAMP'

/** Arguments of journalctl for what is read here, and no more. */
export const journalFormat: readonly string[] = ['--output=json', `--output-fields=${FIELDS.replaceAll(' ', ',')}`]

export interface JournalLine {
  readonly wallMs: number
  readonly monotonicMs: number
  readonly kind: MessageKind | undefined
  readonly message: string
  /** Any field; '' when it is absent, or not a text. */
  readonly field: (name: string) => string
}

/** In the order in which it happened, each line once. What is not a line of the journal is passed over: the last one may be cut. */
export function parseJournal(text: string): JournalLine[] {
  const seen = new Set<unknown>()
  const lines = text.split('\n').flatMap((line) => {
    const fields = line.startsWith('{') ? parsed(line) : undefined
    const cursor = fields?.['__CURSOR']
    if (!fields || (cursor !== undefined && seen.has(cursor))) return []
    seen.add(cursor)
    return lineOf(fields)
  })
  return lines.sort((a, b) => a.monotonicMs - b.monotonicMs)
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function lineOf(fields: Record<string, unknown>): JournalLine[] {
  const field = (name: string) => textOf(fields[name])
  const received = {
    wallUs: Number(field('__REALTIME_TIMESTAMP')),
    monotonicUs: Number(field('__MONOTONIC_TIMESTAMP')),
  }
  if (!received.wallUs || !received.monotonicUs) return []
  const lateUs = lateness(received.wallUs, Number(field('_SOURCE_REALTIME_TIMESTAMP')))
  return [
    {
      wallMs: (received.wallUs - lateUs) / 1000,
      monotonicMs: (received.monotonicUs - lateUs) / 1000,
      kind: kinds.get(field('MESSAGE_ID')),
      message: field('MESSAGE'),
      field,
    },
  ]
}

const kinds: ReadonlyMap<string, MessageKind> = new Map(
  Object.entries(MESSAGES).map(([kind, id]) => [id, kind as MessageKind]),
)

/** Said at a time, received later: while a boot is busy, tens of milliseconds. Much more is a step of the clock. */
function lateness(receivedUs: number, saidUs: number): number {
  const lateUs = receivedUs - saidUs
  return saidUs > 0 && lateUs > 0 && lateUs < 10_000_000 ? lateUs : 0
}

/** A field that occurs twice is an array of its values; bytes that are no text are an array of numbers. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  if (value.every((item) => typeof item === 'number')) return new TextDecoder().decode(Uint8Array.from(value))
  return textOf(value[0])
}
