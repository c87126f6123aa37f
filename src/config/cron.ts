/** What is accepted as a cron expression, checked without what computes its times: that is loaded where there is a schedule. */

/** What a message says is accepted. */
export const CRON_ACCEPTS =
  'five fields (minute, hour, day of the month, month, day of the week), or six with seconds first: numbers, names (JAN, MON), *, lists, ranges, ' +
  'steps (*/15, 8-18/2), L for the last day of a month, MON#1 for the first Monday'

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Of `min` and those after it. */
  readonly names?: readonly string[]
}

const FIELDS: readonly Field[] = [
  { name: 'second', min: 0, max: 59 },
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of the month', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  { name: 'day of the week', min: 0, max: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
]
const MOST_CHARACTERS = 200

/** @throws Error that says which part is wrong, and what is accepted. */
export function checkCron(text: string): void {
  const parts = text.split(' ')
  if (text.length > MOST_CHARACTERS || parts.length < 5 || parts.length > 6)
    throw wrong(JSON.stringify(text.slice(0, 80)))
  for (const [index, part] of parts.entries()) {
    const field = FIELDS[index + FIELDS.length - parts.length]!
    if (!part.split(',').every((item) => isItem(item, field))) throw wrong(`${JSON.stringify(part)} as ${field.name}`)
  }
}

function wrong(what: string): Error {
  return new Error(`is not a cron expression: ${what}; accepted: ${CRON_ACCEPTS}`)
}

function isItem(item: string, field: Field): boolean {
  if (item === 'L') return field.name === 'day of the month'
  const [range = '', step, ...more] = item.split('/')
  if (more.length > 0) return false
  if (step !== undefined && !isBetween(numberOf(step), 1, field.max)) return false
  if (range === '*') return true
  const [day = '', nth] = range.split('#')
  if (nth !== undefined)
    return field.name === 'day of the week' && /^[1-5]$/.test(nth) && step === undefined && isValue(day, field)
  const [from = '', to, ...rest] = range.split('-')
  if (rest.length > 0 || !isValue(from, field)) return false
  // A step from a single number means different things to different crons.
  if (to === undefined) return step === undefined
  return isValue(to, field) && valueOf(from, field) <= valueOf(to, field)
}

function isValue(text: string, field: Field): boolean {
  return isBetween(valueOf(text, field), field.min, field.max)
}

function valueOf(text: string, { names = [], min }: Field): number {
  const index = names.indexOf(text.toUpperCase())
  return index === -1 ? numberOf(text) : index + min
}

function numberOf(text: string): number {
  return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
}

function isBetween(value: number, min: number, max: number): boolean {
  return value >= min && value <= max
}
