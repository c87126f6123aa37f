/** examples/fleet/: what docs/fleet.md tells people to copy. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { CATALOGUE } from '../../src/record/metrics/catalogue/index.ts'
import { freePort } from '../helpers/control-plane.ts'
import { ownFolder, startDaemon } from '../helpers/daemon.ts'
import { describeWithPrometheus, startPrometheus } from '../helpers/prometheus.ts'
import { createAuthority } from '../helpers/tls.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples/fleet')
const read = (name: string) => readFileSync(join(EXAMPLES, name), 'utf8')

interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
}

const rules = (parse(read('rules.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules)

test('rules ask for metrics that there are', async () => {
  const daemon = await startDaemon({ DIAGD_CONTAINERS: '{}', DIAGD_UPLOADS: '{target: "s3://bundles"}' })
  const { body } = await daemon.ask('GET', '/metrics')
  await daemon.stop()
  const own = [...body.toString().matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)
  const ofCatalogue = CATALOGUE.flatMap(({ prometheus }) => prometheus?.name ?? [])
  const recorded = rules.flatMap(({ record }) => record ?? [])
  // Told once there is a collector.
  const known = new Set([...own, ...ofCatalogue, ...recorded, 'up', 'diagd_otlp_requests_total'])
  const asked = rules.flatMap(({ expr }) => expr.match(/\b(?:up|(?:node|container|diagd)[_:][a-zA-Z0-9_:]+)\b/g) ?? [])
  expect(asked.length).toBeGreaterThan(30)
  expect(asked.filter((name) => !known.has(name))).toEqual([])
})

test('the configuration of a node is accepted', async () => {
  const folder = ownFolder()
  writeFileSync(join(folder, 'config.yaml'), read('diagd.yaml'))
  const { config, problems } = await loadConfig({ DIAGD_CONFIG_DIR: folder }, 0)
  expect(problems).toEqual([])
  expect(config.otlp).toMatchObject({ headersFile: '/etc/diagd/otlp.header', metrics: true, events: true })
})

interface CollectorConfig {
  readonly service: {
    readonly extensions: readonly string[]
    readonly pipelines: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  }
  readonly [section: string]: unknown
}

test('the configuration of a collector hangs together: what it names is there, and what is there is named', () => {
  const config = parse(read('otel-collector.yaml')) as CollectorConfig
  const { extensions, pipelines } = config.service
  for (const section of ['receivers', 'processors', 'exporters']) {
    const used = Object.values(pipelines).flatMap((pipeline) => pipeline[section])
    expect(new Set(used)).toEqual(new Set(Object.keys(config[section] as object)))
  }
  expect(new Set(extensions)).toEqual(new Set(Object.keys(config['extensions'] as object)))
  expect(Object.keys(pipelines)).toEqual(['metrics', 'logs'])
})

describeWithPrometheus('Prometheus', () => {
  test('takes the configuration and the rules, and the tests of the rules pass', async () => {
    const promtool = (...args: string[]) => execa('promtool', args, { cwd: EXAMPLES, all: true, reject: false })
    expect(await promtool('check', 'config', '--syntax-only', 'prometheus.yml')).toMatchObject({ exitCode: 0 })
    expect(await promtool('check', 'rules', 'rules.yml')).toMatchObject({ exitCode: 0 })
    expect(await promtool('test', 'rules', 'rules.test.yml')).toMatchObject({ exitCode: 0 })
  })

  test('asks a node as the configuration says: TLS, a token, the name of the node, the rules', async () => {
    const folder = ownFolder()
    const authority = createAuthority()
    const { certificate, key } = authority.sign('node')
    const port = await freePort()
    const daemon = await startDaemon(
      {
        DIAGD_LISTEN: `127.0.0.1:${port}`,
        DIAGD_TLS: JSON.stringify({ certificate, key }),
        DIAGD_CONFIG_DIR: join(folder, 'config'),
      },
      folder,
    )
    const { stdout } = await daemon.run('token', 'create', 'prometheus', '--scopes', 'read', '-o', '-')
    const token = join(folder, 'diagd.token')
    writeFileSync(
      token,
      stdout
        .toString()
        .replace(/^Authorization: Bearer /, '')
        .trim(),
    )
    const place = join(folder, 'prometheus')
    cpSync(EXAMPLES, place, { recursive: true })
    const nodes = [{ targets: [`localhost:${port}`] }, { targets: [`127.0.0.1:${port}`], labels: { node: 'db-1' } }]
    writeFileSync(join(place, 'nodes.json'), JSON.stringify(nodes))
    const config = read('prometheus.yml')
      .replace('/etc/prometheus/diagd.token', token)
      .replace('/etc/prometheus/diagd-ca.pem', authority.certificate)
      .replace('nodes.yml', join(place, 'nodes.json'))
      .replace('rules.yml', join(place, 'rules.yml'))
      .replaceAll('30s', '1s')
    const prometheus = await startPrometheus(config)
    for (const node of ['localhost', 'db-1']) {
      const [up] = await prometheus.until(`up{node="${node}"} == 1`)
      expect(up!.metric).toMatchObject({ job: 'diagd', node, instance: node })
    }
    const [used] = await prometheus.until('node:memory_used:ratio{node="db-1"}')
    expect(used!.value).toBeGreaterThan(0)
    expect(used!.value).toBeLessThan(1)
    await daemon.stop()
  })
})
