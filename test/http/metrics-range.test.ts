import { expect, onTestFinished, test } from 'vitest'
import type { Measured, MeasuredQuery } from '../../src/collector.ts'
import { parseRange } from '../../src/http/metrics-range.ts'
import { curl, depsOf, openDoors } from '../helpers/http.ts'

const NOW = Date.UTC(2026, 5, 15, 12)
const DAY = 86_400_000
const config = { ...depsOf().config, auth: 'none' as const }

const ANSWER: Measured = {
  series: [
    {
      subject: 'host',
      labels: {},
      timesMs: [NOW - DAY],
      samples: [18],
      columns: { load_1: { avg: [1 / 3], min: [0.25], max: [null] } },
    },
  ],
  marks: [{ kind: 'boot', fromMs: NOW - 1000, toMs: NOW, message: 'the machine was started anew' }],
  leftOut: 2,
}

async function asked(query: string, range?: (query: MeasuredQuery) => Measured) {
  const snapshot = () => Promise.reject(new Error('nobody asked'))
  const measured = range && { snapshot, range: async (wanted: MeasuredQuery) => range(wanted) }
  const doors = await openDoors(depsOf({ config, measured }))
  onTestFinished(() => doors.close())
  const { stdout } = await curl('-w', '\n%{http_code}', `${doors.tcp}/metrics/range${query}`)
  const [, body = '', status] = /^([^]*)\n(\d+)$/.exec(stdout.toString())!
  return { status: Number(status), json: JSON.parse(body) as Record<string, unknown> }
}

test('what the database tells, rounded to thousandths', async () => {
  const queries: MeasuredQuery[] = []
  const { status, json } = await asked(
    '?columns=host.load_1,mount.used_bytes&since=@1000&until=@4600&step=1m&things=3',
    (query) => {
      queries.push(query)
      return ANSWER
    },
  )
  expect(status).toBe(200)
  expect(json).toEqual({
    ...ANSWER,
    series: [{ ...ANSWER.series[0], columns: { load_1: { avg: [0.333], min: [0.25], max: [null] } } }],
  })
  expect(queries).toEqual([
    {
      sinceMs: 1_000_000,
      untilMs: 4_600_000,
      stepMs: 60_000,
      columns: { host: ['load_1'], mount: ['used_bytes'] },
      mostThings: 3,
    },
  ])
})

test('without a wish: the last day of the host, in as many steps as a picture has', () => {
  const { columns, ...rest } = parseRange({}, NOW)
  expect(rest).toEqual({ sinceMs: NOW - DAY, untilMs: NOW, stepMs: 180_000 })
  expect(Object.keys(columns)).toEqual(['host'])
  expect(columns['host']).toContain('memory_available_bytes')
  expect(parseRange({ since: '10m' }, NOW).stepMs).toBe(10_000)
})

test.each([
  ['?column=host', 'column: is not a parameter; accepted: since, until, step, columns, things'],
  ['?since=yesterday', 'since: "yesterday" is not a time'],
  ['?since=1h&until=2h', 'since: is not before "until"'],
  ['?step=0s', 'step: "0s" is not a step of this span; accepted: 10s, 1m, 2h, 1d'],
  ['?step=1s&since=7d', 'at most 10000 steps'],
  ['?columns=cpu', '"cpu" is not measured; accepted: host, mount, disk, interface, container, process'],
  ['?columns=host,mount.size', '"mount.size" is not measured; accepted: mount.size_bytes, mount.used_bytes'],
  ['?things=0', 'things: "0" does not fit; accepted: whole numbers from 1 to 1000'],
])('%s is refused, and what is accepted is said', async (query, detail) => {
  const { status, json } = await asked(query, () => ANSWER)
  expect({ status, code: json['code'] }).toEqual({ status: 400, code: 'bad-parameter' })
  expect(json['detail']).toContain(detail)
})

test('where nothing is kept it says so', async () => {
  const { status, json } = await asked('')
  expect({ status, code: json['code'] }).toEqual({ status: 503, code: 'not-recording' })
})
