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
/** From January on; February in its longest year. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** @throws Error that says which part is wrong, or that it never comes, and what is accepted. */
export function checkCron(text: string): void {
  const parts = text.split(' ')
  if (text.length > MOST_CHARACTERS || parts.length < 5 || parts.length > 6)
    throw wrong(JSON.stringify(text.slice(0, 80)))
  for (const [index, part] of parts.entries()) {
    const field = FIELDS[index + FIELDS.length - parts.length]!
    if (!part.split(',').every((item) => isItem(item, field))) throw wrong(`${JSON.stringify(part)} as ${field.name}`)
  }
  checkThatItComes(text, parts.slice(-3) as [string, string, string])
}

/** Where a day of the week is named as well, one of the two is enough, and that day comes. */
function checkThatItComes(text: string, [days, months, weekdays]: [string, string, string]): void {
  if (weekdays !== '*') return
  const [dayField, monthField] = FIELDS.slice(3) as [Field, Field]
  const first = Math.min(...days.split(',').map((item) => (item === 'L' ? 1 : fromOf(item, dayField))))
  const longest = Math.max(
    ...months
      .split(',')
      .flatMap((item) => valuesOf(item, monthField))
      .map(daysIn),
  )
  if (first <= longest) return
  throw new Error(
    `${JSON.stringify(text)} never comes: ${JSON.stringify(days)} as day of the month, and ${JSON.stringify(months)} as month has ${longest} days at most; ` +
      'accepted: a day that is there in one of the months, L for the last one',
  )
}

function daysIn(month: number): number {
  return MONTH_DAYS[month - 1]!
}

/** Of an item that was found good. */
function valuesOf(item: string, field: Field): number[] {
  const [range = '', step = '1'] = item.split('/')
  const from = fromOf(item, field)
  const to = range === '*' ? field.max : valueOf(range.split('-')[1] ?? range, field)
  return Array.from({ length: Math.floor((to - from) / Number(step)) + 1 }, (_, index) => from + index * Number(step))
}

function fromOf(item: string, field: Field): number {
  return item.startsWith('*') ? field.min : valueOf(item.split(/[-/]/)[0]!, field)
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
