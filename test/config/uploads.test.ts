import { describe, expect, test } from 'vitest'
import { parseUploadsKey, type UploadsConfig } from '../../src/config/uploads.ts'

const parse = (value: unknown): UploadsConfig => {
  const config = parseUploadsKey(value)
  if (config === 'none') throw new Error('it is none')
  return config
}
const target = (more: object) => parse({ target: 's3://bkt', ...more }).target
const MINUTE = 60_000

test('nothing is sent unless it says so', () => {
  expect(parseUploadsKey(undefined)).toBe('none')
  expect(parseUploadsKey('none')).toBe('none')
})

test('a bucket is enough', () => {
  const limits = { debounceMs: 15 * MINUTE, perDay: 8 }
  expect(parse({ target: 's3://evidence' })).toEqual({
    target: {
      kind: 's3',
      bucket: 'evidence',
      key: '{node}/{date}/{name}',
      endpoint: undefined,
      region: 'us-east-1',
      pathStyle: false,
      credentials: { from: 'environment' },
      ca: undefined,
      encryption: undefined,
      kmsKey: undefined,
      storageClass: undefined,
      tags: {},
    },
    schedule: undefined,
    triggers: {
      container: limits,
      unit: limits,
      oomKill: limits,
      slowBoot: { ...limits, longerThanMs: 10 * MINUTE },
      failedBoot: limits,
      uncleanEnd: limits,
      pressure: { ...limits, memoryPercent: 20, ioPercent: 60, forMs: 2 * MINUTE },
      disk: { ...limits, abovePercent: 95 },
      shutdown: { debounceMs: MINUTE, perDay: 8 },
    },
    bandwidthBytesPerSecond: undefined,
    parameters: {},
    retention: undefined,
  })
})

test('everything can be said in one variable of the environment', () => {
  const all =
    '{target: "s3://bkt/fleet/{node}/{name}", endpoint: "https://s3.example", region: eu-1, pathStyle: false, credentials: /c, ca: /d,' +
    ' encryption: "aws:kms", kmsKey: "arn:aws:kms:x:1:key/2", storageClass: STANDARD_IA, tags: {team: web}, schedule: "0 3 * * MON-FRI",' +
    ' timeZone: Europe/Berlin, jitter: 1h, bandwidth: 1MiB, bundle: {only: [kernel, boot], compression: 9}, keep: 10}'
  expect(parse(all)).toMatchObject({
    target: {
      key: 'fleet/{node}/{name}',
      endpoint: new URL('https://s3.example'),
      region: 'eu-1',
      pathStyle: false,
      credentials: { from: 'file', path: '/c' },
      ca: '/d',
      encryption: 'aws:kms',
      kmsKey: 'arn:aws:kms:x:1:key/2',
      storageClass: 'STANDARD_IA',
      tags: { team: 'web' },
    },
    schedule: { cron: '0 3 * * MON-FRI', timeZone: 'Europe/Berlin', jitterMs: 60 * MINUTE },
    bandwidthBytesPerSecond: 1024 * 1024,
    parameters: { only: 'kernel,boot', compression: '9' },
    retention: { maxBundles: 10 },
  })
})

describe('the target', () => {
  test.each([
    ['s3://bkt/', '{node}/{date}/{name}'],
    ['s3://bkt/x', 'x/{name}'],
    ['s3://bkt/x/', 'x/{name}'],
    ['s3://bkt/{date}/{node}', '{date}/{node}/{name}'],
    ['s3://bkt/{node}-{name}', '{node}-{name}'],
  ])('%s names objects %s', (value, key) => {
    expect(target({ target: value })).toMatchObject({ bucket: 'bkt', key })
  })

  test('another endpoint than that of AWS has the bucket in its path, and any region', () => {
    expect(target({ endpoint: 'https://s3.example' })).toMatchObject({ pathStyle: true, region: 'auto' })
    expect(target({ endpoint: 'https://s3.example', region: 'fsn1', pathStyle: false })).toMatchObject({
      pathStyle: false,
      region: 'fsn1',
    })
  })

  test('credentials come from a file, the environment or the instance', () => {
    expect(target({ credentials: '/etc/diagd/s3.json' })).toMatchObject({
      credentials: { from: 'file', path: '/etc/diagd/s3.json' },
    })
    expect(target({ credentials: 'instance' })).toMatchObject({ credentials: { from: 'instance' } })
    expect(target({ credentials: 'environment' })).toMatchObject({ credentials: { from: 'environment' } })
  })

  test('encryption: none is what the bucket does by itself', () => {
    expect(target({ encryption: 'none' })).toMatchObject({ encryption: undefined })
  })

  test('a control plane is asked over https, or on the loopback', () => {
    expect(parse({ target: 'https://plane.example/uploads', headersFile: '/h', ca: '/c' }).target).toEqual({
      kind: 'control-plane',
      url: new URL('https://plane.example/uploads'),
      headersFile: '/h',
      ca: '/c',
    })
    expect(parse({ target: 'http://127.0.0.1:8080/' }).target).toMatchObject({ kind: 'control-plane' })
    expect(parse({ target: 'http://[::1]:8080/' }).target).toMatchObject({ kind: 'control-plane' })
  })
})

describe('triggers', () => {
  test.each([false, 'none'])('%j switches all of them off', (triggers) => {
    const all = parse({ target: 's3://bkt', triggers }).triggers
    expect(Object.values(all).filter((one) => one !== undefined)).toEqual([])
  })

  test('one is switched off, another narrowed, the rest is as it is', () => {
    const triggers = { unit: false, container: 'none', disk: { above: 80, perDay: 1 }, oomKill: true }
    expect(parse({ target: 's3://bkt', triggers }).triggers).toMatchObject({
      unit: undefined,
      container: undefined,
      disk: { debounceMs: 15 * MINUTE, perDay: 1, abovePercent: 80 },
      oomKill: { debounceMs: 15 * MINUTE, perDay: 8 },
      shutdown: { debounceMs: MINUTE },
    })
  })

  test('each shutdown can have its bundle, however soon after the one before', () => {
    const { shutdown } = parse({ target: 's3://bkt', triggers: { shutdown: { debounce: '0s' } } }).triggers
    expect(shutdown).toEqual({ debounceMs: 0, perDay: 8 })
  })
})

test('parameters of the bundle are texts, as in a query string', () => {
  const bundle = { since: '2h', skip: ['docker', 'kernel'], pseudonymize: true, limits: 'bundle=5MiB' }
  expect(parse({ target: 's3://bkt', bundle }).parameters).toEqual({
    since: '2h',
    skip: 'docker,kernel',
    pseudonymize: 'true',
    limits: 'bundle=5MiB',
  })
})

test.each([
  ['yes', 'is not a mapping'],
  [{}, 'target is missing'],
  [{ target: 'b' }, 'target is not a URL of https'],
  [{ target: 's3://B' }, 'target "s3://B" is not s3://BUCKET/KEY'],
  [{ target: 's3://bkt/{host}' }, 'target has {host} in it; accepted: {node}, {date} and {name}'],
  [{ target: 's3://bkt/../x' }, 'target: its key has empty parts, "." or ".."'],
  [{ target: 's3://bkt//x' }, 'target: its key has empty parts'],
  [{ target: `s3://bkt/${'x'.repeat(701)}` }, 'more than 700 bytes'],
  [{ target: 'http://plane.example/' }, 'target would take bundles over the network in the clear'],
  [{ target: 'http://127.0.0.1.plane.example/' }, 'in the clear'],
  [{ target: 's3://bkt', endpoint: 'http://s3.example' }, 'endpoint would take bundles over the network in the clear'],
  [{ target: 's3://bkt', endpoint: 's3.example' }, 'endpoint is not a URL of https'],
  [{ target: 's3://bkt', endpoint: 'https://u:p@s3.example' }, 'credentials belong in a file'],
  [{ target: 's3://bkt', endpoint: 'https://s3.example/?x=1' }, 'endpoint has a query'],
  [{ target: 's3://bkt', endpoint: 'http://127.0.0.1:9000', ca: '/c' }, 'ca is of no use'],
  [{ target: 's3://bkt', region: 'EU 1' }, 'region is not a region'],
  [{ target: 's3://bkt', pathStyle: 'yes' }, 'pathStyle is neither true nor false'],
  [{ target: 's3://bkt', credentials: 'mine' }, 'credentials is not "environment", "instance" or an absolute path'],
  [{ target: 's3://bkt', ca: 'c.pem' }, 'ca is not an absolute path'],
  [{ target: 's3://bkt', encryption: 'yes' }, 'encryption is not none, AES256 or aws:kms'],
  [{ target: 's3://bkt', kmsKey: 'k' }, 'kmsKey is of no use: encryption is not aws:kms'],
  [{ target: 's3://bkt', storageClass: 'cold' }, 'storageClass is not a storage class'],
  [{ target: 's3://bkt', tags: ['a'] }, 'tags is not a mapping'],
  [{ target: 's3://bkt', tags: { 'a?': 'b' } }, 'tags has a name that is none of a tag: "a?"'],
  [{ target: 's3://bkt', tags: { 'aws:x': 'b' } }, 'tags has a name that is none of a tag'],
  [{ target: 's3://bkt', tags: { a: 7 } }, 'tags a is not a text that a tag can have'],
  [
    { target: 's3://bkt', tags: Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`t${n}`, 'x'])) },
    'tags has 11 tags; an object has at most 10',
  ],
  [{ target: 's3://bkt', headersFile: '/h' }, 'headersFile is of no use: the target is a bucket'],
  [{ target: 'https://plane.example/', region: 'x' }, 'region is of no use: the target is no bucket'],
  [{ target: 'https://plane.example/', keep: 3 }, 'keep is of no use: the target is no bucket'],
  [{ target: 'http://localhost/', ca: '/c' }, 'ca is of no use: the target is not https'],
  [{ target: 's3://bkt', secretAccessKey: 'x' }, 'Unrecognized key: "secretAccessKey"'],
  [{ target: 's3://bkt', schedule: 'daily' }, 'schedule is not a cron expression: "daily"; accepted: five fields'],
  [{ target: 's3://bkt', schedule: '* * * *' }, 'schedule is not a cron expression'],
  [{ target: 's3://bkt', schedule: '0 3 * * *', timeZone: 'Mars/Olympus' }, 'timeZone is not a time zone'],
  [{ target: 's3://bkt', jitter: '2d' }, 'jitter "2d" is not a time from 0s to 24h'],
  [{ target: 's3://bkt', bandwidth: '1KiB' }, 'bandwidth "1KiB" is not a size from 16KiB to 10GiB'],
  [{ target: 's3://bkt', keep: 0 }, 'keep is less than 1'],
  [{ target: 's3://bkt/x', keep: 5 }, 'keep would delete what is not of this node'],
  [{ target: 's3://bkt/{date}/{node}/{name}', keep: 5 }, 'keep would delete what is not of this node'],
  [{ target: 's3://bkt/{node}{name}', keep: 5 }, 'keep would delete what is not of this node'],
  [{ target: 's3://bkt', bundle: 'kernel' }, 'bundle is not a mapping'],
  [{ target: 's3://bkt', bundle: { unmasked: true } }, 'bundle unmasked is not a parameter; accepted: only, skip'],
  [{ target: 's3://bkt', bundle: { format: 'zip' } }, 'bundle format "zip" is not a format'],
  [{ target: 's3://bkt', bundle: { limits: 'x' } }, 'bundle limits'],
  [{ target: 's3://bkt', bundle: { only: { a: 1 } } }, 'bundle only is not a text or a list of texts'],
  [{ target: 's3://bkt', bundle: { until: '1h' } }, 'bundle until is of no use'],
  [{ target: 's3://bkt', bundle: { around: '1h' } }, 'bundle around is of no use'],
  [{ target: 's3://bkt', bundle: { since: '2026-01-01' } }, 'bundle since "2026-01-01" is not a time before now'],
  [{ target: 's3://bkt', triggers: 7 }, 'triggers is not a mapping'],
  [{ target: 's3://bkt', triggers: { disk: 'yes' } }, 'triggers disk is not true, false or a mapping'],
  [{ target: 's3://bkt', triggers: { reboot: true } }, 'triggers Unrecognized key: "reboot"'],
  [{ target: 's3://bkt', triggers: { disk: { over: 5 } } }, 'triggers disk Unrecognized key: "over"'],
  [
    { target: 's3://bkt', triggers: { unit: { debounce: '5s' } } },
    'triggers unit debounce "5s" is not a time from 1m to',
  ],
  [{ target: 's3://bkt', triggers: { unit: { perDay: 0 } } }, 'triggers unit perDay is less than 1'],
  [{ target: 's3://bkt', triggers: { pressure: { memory: 101 } } }, 'triggers pressure memory is more than 100'],
  [
    { target: 's3://bkt', triggers: { slowBoot: { longerThan: 5 } } },
    'triggers slowBoot longerThan 5 is not a time from',
  ],
])('%j is refused', (value, words) => {
  const refusal = refusalOf(value)
  expect(refusal).toContain(words)
  // However deep it is, it is said once.
  expect(refusal.match(/has a wrong part/g)?.length ?? 0).toBeLessThanOrEqual(1)
})

test('a refusal shows no credential', () => {
  expect(refusalOf({ target: 's3://bkt', endpoint: 'https://user:hunter2@s3.example' })).not.toContain('hunter2')
  expect(refusalOf({ target: 'ftp://user:hunter2@s3.example' })).not.toContain('hunter2')
})

function refusalOf(value: unknown): string {
  try {
    parseUploadsKey(value)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it is accepted')
}
