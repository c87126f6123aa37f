import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { CATALOGUE as FULL_CATALOGUE } from '../../../src/record/metrics/catalogue/index.ts'
import { exposition } from '../../../src/record/metrics/exposition.ts'
import { readingFamilies, type Family } from '../../../src/record/metrics/families.ts'
import type { Metric, ReadingRow } from '../../../src/record/metrics/metric.ts'
import { describeWithPrometheus } from '../../helpers/prometheus.ts'

const one = (family: Partial<Family>): Family => ({
  name: 'diagd_things',
  help: 'Things there are.',
  kind: 'gauge',
  samples: [{ labels: {}, value: 1 }],
  ...family,
})

const CATALOGUE: readonly Metric[] = [
  {
    subject: 'cpu',
    name: 'user_seconds',
    kind: 'counter',
    help: 'Time in programs.',
    prometheus: { name: 'node_cpu_seconds_total', labels: { mode: 'user' }, help: 'Time of the processor by mode.' },
  },
  {
    subject: 'host',
    name: 'load_1m',
    kind: 'gauge',
    help: 'Load of one minute.',
    prometheus: { name: 'node_load1' },
  },
  {
    subject: 'cpu',
    name: 'idle_seconds',
    kind: 'counter',
    help: 'Time idle.',
    prometheus: { name: 'node_cpu_seconds_total', labels: { mode: 'idle' }, help: 'Time of the processor by mode.' },
  },
  { subject: 'host', name: 'kept_only', kind: 'gauge', help: 'Not served.' },
]
const ROWS: readonly ReadingRow[] = [
  { subject: 'host', labels: {}, values: { load_1m: 0.25, kept_only: 1 } },
  { subject: 'cpu', labels: { cpu: '0' }, values: { user_seconds: 1.5, idle_seconds: 1e21 } },
  { subject: 'cpu', labels: { cpu: '1' }, values: { user_seconds: 2.5 } },
]

test('metrics of one name are one family, named and explained once, its samples together', () => {
  expect(exposition(readingFamilies({ rows: ROWS }, CATALOGUE), 'text')).toBe(`\
# HELP node_cpu_seconds_total Time of the processor by mode.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="user"} 1.5
node_cpu_seconds_total{cpu="1",mode="user"} 2.5
node_cpu_seconds_total{cpu="0",mode="idle"} 1e+21
# HELP node_load1 Load of one minute.
# TYPE node_load1 gauge
node_load1 0.25
`)
})

test('families of the same name that come from two sides are one', () => {
  const text = exposition(
    [one({}), one({ name: 'other' }), one({ samples: [{ labels: { a: 'b' }, value: 2 }] })],
    'text',
  )
  expect(text.match(/^# TYPE diagd_things/gm)).toHaveLength(1)
  expect(text).toContain('diagd_things 1\ndiagd_things{a="b"} 2\n')
})

test('labels as cAdvisor has them; one without a value is left out', () => {
  const row = (name: string): ReadingRow => ({
    subject: 'container',
    labels: { id: '0123456789ab', cgroup: '/docker/0123', name },
    values: { threads: 1 },
  })
  const text = exposition(readingFamilies({ rows: [row('web'), row('')] }, FULL_CATALOGUE), 'text')
  expect(text.match(/^container_threads.*$/gm)).toEqual([
    'container_threads{container_id="0123456789ab",id="/docker/0123",name="web"} 1',
    'container_threads{container_id="0123456789ab",id="/docker/0123"} 1',
  ])
})

test('what is not there is not told as zero', () => {
  expect(exposition(readingFamilies({ rows: [] }, CATALOGUE), 'text')).toBe('')
})

test('quotes, backslashes and line ends are escaped', () => {
  const family = one({ help: 'a\\b\n"c"', samples: [{ labels: { path: '/a\\b\n"c"' }, value: 1 }] })
  const [help, , sample] = exposition([family], 'text').split('\n')
  expect(help).toBe(String.raw`# HELP diagd_things a\\b\n"c"`)
  expect(sample).toBe(String.raw`diagd_things{path="/a\\b\n\"c\""} 1`)
})

test('numbers as Go reads them', () => {
  const values = [0, -1.5, 1e-7, 2 ** 53, Infinity, -Infinity, Number.NaN]
  const text = exposition([one({ samples: values.map((value) => ({ labels: {}, value })) })], 'text')
  expect(text.match(/^diagd_things .*/gm)!.map((line) => line.split(' ')[1])).toEqual([
    '0',
    '-1.5',
    '1e-7',
    '9007199254740992',
    '+Inf',
    '-Inf',
    'NaN',
  ])
})

describe('OpenMetrics', () => {
  test('counters, gauges, what is neither, and the end', () => {
    const families = [
      one({ name: 'a_total', kind: 'counter' }),
      one({ name: 'b' }),
      one({ name: 'node_vmstat_oom_kill', kind: 'counter', help: '"quoted"' }),
    ]
    expect(exposition(families, 'openmetrics')).toBe(`\
# HELP a Things there are.
# TYPE a counter
a_total 1
# HELP b Things there are.
# TYPE b gauge
b 1
# HELP node_vmstat_oom_kill \\"quoted\\"
# TYPE node_vmstat_oom_kill unknown
node_vmstat_oom_kill 1
# EOF
`)
    expect(exposition(families, 'text')).toContain('# TYPE node_vmstat_oom_kill untyped\n')
  })
})

describeWithPrometheus('promtool', () => {
  const check = (input: string) => execa('promtool', ['check', 'metrics'], { input, reject: false, all: true })

  test('has nothing to say against it', async () => {
    const odd = one({ samples: [{ labels: { path: '/a\\b\n"c" ü' }, value: 1e-7 }] })
    const families = [...readingFamilies({ rows: ROWS }, CATALOGUE), odd]
    expect(await check(exposition(families, 'text'))).toMatchObject({ exitCode: 0, all: '' })
  })

  test('and has where something is wrong', async () => {
    const twice = exposition([one({})], 'text').repeat(2)
    expect(await check(twice)).toMatchObject({ exitCode: 1 })
  })
})
