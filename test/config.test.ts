import { mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CONFIG_KEYS, masked, metaOf, variableOf } from '../src/config.ts'
import { loadConfig } from '../src/config/load.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diagd-config-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

const load = (variables: Record<string, string> = {}, uid = 0) =>
  loadConfig({ DIAGD_CONFIG_DIR: folder, ...variables }, uid)

async function loadFile(text: string, variables: Record<string, string> = {}) {
  await writeFile(join(folder, 'config.yaml'), text)
  return load(variables)
}

test('without file and variables: the defaults, and no problem', async () => {
  const { config, problems } = await load()
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    node: undefined,
    listen: { host: '127.0.0.1', port: 7433 },
    socket: '/run/diagd/diagd.sock',
    auth: undefined,
    logLevel: 'info',
    watchedUnits: [],
    engines: [],
    bundlesAtOnce: 2,
    tls: undefined,
    jwt: undefined,
    hosts: [],
    socketGroup: undefined,
    configDir: folder,
  })
})

test('every key in the file', async () => {
  const { config, problems } = await loadFile(`
    node: web-1
    listen: "[::1]:8000"
    socket: /tmp/d.sock
    auth: none
    logLevel: debug
    watchedUnits: [app.service, worker@1.service]
    engines: [/run/a.sock, unix:///run/b.sock]
    limits: entry=1MiB
    bundlesAtOnce: 3
    socketGroup: wheel
    hosts: [node.internal, localhost.localdomain]
    tls: { certificate: /a.crt, key: /a.key, clientCa: /ca.crt }
    jwt:
      issuer: https://plane.example
      audience: diagd
      jwksUrl: https://plane.example/jwks.json
      algorithms: [EdDSA]
  `)
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    node: 'web-1',
    listen: { host: '::1', port: 8000 },
    socket: '/tmp/d.sock',
    auth: 'none',
    logLevel: 'debug',
    watchedUnits: ['app.service', 'worker@1.service'],
    engines: ['/run/a.sock', '/run/b.sock'],
    limits: { entryBytes: 1024 ** 2, entries: 4096 },
    bundlesAtOnce: 3,
    socketGroup: 'wheel',
    hosts: ['node.internal', 'localhost.localdomain'],
    tls: { certificate: '/a.crt', key: '/a.key', clientCa: '/ca.crt', clientScopes: ['bundle', 'read'] },
    jwt: { issuer: 'https://plane.example', nodeClaim: 'node', scopeClaim: 'scope', algorithms: ['EdDSA'] },
  })
})

test('every key as a variable, which wins over the file', async () => {
  const { config, problems } = await loadFile('node: from-file\nbundlesAtOnce: 5\n', {
    DIAGD_NODE: 'from-variable',
    DIAGD_LISTEN: 'none',
    DIAGD_SOCKET: '/tmp/d.sock',
    DIAGD_AUTH: 'none',
    DIAGD_LOG_LEVEL: 'warn',
    DIAGD_WATCHED_UNITS: 'a.service, b.service',
    DIAGD_ENGINES: 'unix:///run/b.sock',
    DIAGD_LIMITS: 'none',
    DIAGD_BUNDLES_AT_ONCE: '4',
    DIAGD_SOCKET_GROUP: '4711',
    DIAGD_HOSTS: 'a.internal,b.internal',
    DIAGD_TLS: '{certificate: /a.crt, key: /a.key, clientScopes: [read]}',
    DIAGD_JWT: '{"issuer":"i","audience":"a","jwksUrl":"http://127.0.0.1:1/jwks"}',
  })
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    node: 'from-variable',
    listen: undefined,
    socket: '/tmp/d.sock',
    auth: 'none',
    logLevel: 'warn',
    watchedUnits: ['a.service', 'b.service'],
    engines: ['/run/b.sock'],
    limits: { entryBytes: Infinity },
    bundlesAtOnce: 4,
    socketGroup: '4711',
    hosts: ['a.internal', 'b.internal'],
    tls: { certificate: '/a.crt', key: '/a.key', clientScopes: ['read'] },
    jwt: { issuer: 'i', audience: 'a', algorithms: ['EdDSA', 'ES256', 'RS256'] },
  })
})

test('bad uploads mean that nothing is sent', async () => {
  const { config, problems } = await loadFile('uploads: { target: "s3://bucket", often: yes }\n')
  expect(problems).toEqual([{ key: 'uploads', message: expect.stringMatching(/; nothing is sent$/) }])
  expect(config.uploads).toBe('none')
})

test('an empty variable, and a key without a value, mean "not set"', async () => {
  const { config, problems } = await loadFile('node:\nbundlesAtOnce: 5\n', { DIAGD_BUNDLES_AT_ONCE: '' })
  expect(problems).toEqual([])
  expect(config).toMatchObject({ node: undefined, bundlesAtOnce: 5 })
})

test.each([
  ['node', '"../etc" is not a name of a node', 'node: ../etc'],
  ['socket', '"diagd.sock" is not a path of a socket', 'socket: diagd.sock'],
  ['logLevel', '"loud" is not a level; accepted: trace, debug', 'logLevel: loud'],
  ['watchedUnits', 'contains "a b", which is not a unit name', 'watchedUnits: [a b]'],
  ['watchedUnits', 'is not a list', 'watchedUnits: { a: b }'],
  ['engines', 'contains "tcp://x:2375", which is not an absolute path of a socket', 'engines: ["tcp://x:2375"]'],
  ['socketGroup', '"-a" is not a group', 'socketGroup: -a'],
  ['limits', '"memory=5" is not a limit; accepted: "none", or', 'limits: memory=5'],
  ['bundlesAtOnce', '0 is less than 1; accepted: a whole number from 1 to 16', 'bundlesAtOnce: 0'],
  ['bundlesAtOnce', 'true is not a whole number', 'bundlesAtOnce: true'],
])('a bad %s is a problem that says %s; the default stands in, the rest stays', async (key, message, text) => {
  const { config, problems } = await loadFile(`${text}\nlisten: 127.0.0.1:1234\n`)
  expect(problems).toEqual([{ key, message: expect.stringContaining(message) }])
  expect(problems[0]!.message).toContain('the default stands in')
  const { config: defaults } = await loadConfig({ DIAGD_CONFIG_DIR: '/nonexistent' }, 0)
  expect(config[key as keyof typeof config]).toEqual(defaults[key as keyof typeof config])
  expect(config.listen).toEqual({ host: '127.0.0.1', port: 1234 })
})

describe('who may ask is never guessed: TCP stays closed', () => {
  test.each([
    ['a bad address', 'listen: everywhere', 'listen'],
    ['a port out of range', 'listen: 127.0.0.1:70000', 'listen'],
    ['a bad auth', 'auth: nobody', 'auth'],
    ['a host name that is none', 'hosts: ["a:80"]', 'hosts'],
    ['tls in a word', 'tls: yes please', 'tls'],
    ['tls without a key', 'tls: { certificate: /a.crt }', 'tls'],
    ['tls with a key misspelt', 'tls: { certificate: /a.crt, key: /a, clientCA: /c }', 'tls'],
    ['tls with a relative path', 'tls: { certificate: a.crt, key: /a.key }', 'tls'],
    ['tls with a scope that is none', 'tls: { certificate: /a.crt, key: /a.key, clientScopes: [all] }', 'tls'],
    ['jwt without an audience', 'jwt: { issuer: i, jwksUrl: https://x/jwks }', 'jwt'],
    ['jwt with keys over plain HTTP', 'jwt: { issuer: i, audience: a, jwksUrl: http://x/jwks }', 'jwt'],
    ['jwt with a password in its URL', 'jwt: { issuer: i, audience: a, jwksUrl: https://u:hush@x/jwks }', 'jwt'],
    ['jwt with a shared secret', 'jwt: { issuer: i, audience: a, jwksUrl: https://x/, algorithms: [HS256] }', 'jwt'],
    ['a file that is no YAML, of which no line is quoted', 'auth: [none, hush', 'config.yaml'],
    ['a file that is no mapping', '- auth\n- none\n', 'config.yaml'],
    ['a key given twice', 'auth: none\nauth: none\n', 'config.yaml'],
  ])('with %s', async (_, text, key) => {
    const { config, problems } = await loadFile(text, key === 'listen' ? { DIAGD_AUTH: 'none' } : {})
    expect(problems).toMatchObject([{ key, message: expect.stringContaining('TCP stays closed') }])
    expect(config).toMatchObject({ listen: undefined, auth: undefined })
    expect(JSON.stringify(problems)).not.toContain('hush')
  })

  test('a message names the part of a mapping that is wrong, and what is accepted', async () => {
    const { problems } = await loadFile('tls: { certificate: a.crt }\n')
    expect(problems[0]!.message).toMatch(
      /^its value has a wrong part: certificate is not an absolute path; key is missing; accepted: "terminated-upstream" .* TCP stays closed$/,
    )
    expect((await load({ DIAGD_JWT: '{a: ', DIAGD_TLS: 'terminated-upstream' })).problems[0]!.message).toContain(
      'its value is not YAML: ',
    )
  })

  test('with a bad variable', async () => {
    const { config, problems } = await load({ DIAGD_AUTH: 'nope' })
    expect(problems).toMatchObject([{ key: 'DIAGD_AUTH' }])
    expect(config.listen).toBeUndefined()
  })

  test('with something in place of the file that cannot be read', async () => {
    await mkdir(join(folder, 'config.yaml'))
    const { config, problems } = await load()
    expect(problems).toMatchObject([{ key: 'config.yaml', message: expect.stringContaining('not a regular file') }])
    expect(config.listen).toBeUndefined()
  })

  test('with a file of endless size', async () => {
    await writeFile(join(folder, 'big'), ' '.repeat(1024 * 1024 + 1))
    await symlink(join(folder, 'big'), join(folder, 'config.yaml'))
    const { problems } = await load()
    expect(problems).toMatchObject([{ key: 'config.yaml', message: expect.stringContaining('larger than') }])
  })
})

describe('who can open a bundle is never guessed: recipients that are not understood are unknown, not none', () => {
  const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'
  const SECRET = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX'

  test.each([
    ['mistyped', `recipients: [${RECIPIENT.replace('qmc', 'qmd')}]`, 'recipients', 'its checksum does not match'],
    ['a key of ssh', 'recipients: [ssh-ed25519 AAAA]', 'recipients', '"ssh-ed25519 AAAA" is a key of ssh'],
    [
      'of another kind',
      'recipients: [age1pq1qqqqqqqqqqqqqqqqq]',
      'recipients',
      '"age1pq1qqqqqqqqq…" is not a recipient',
    ],
    ['a secret key', `recipients: [${SECRET}]`, 'recipients', 'this is a secret key'],
    ['no list', 'recipients: 7', 'recipients', 'is not a list'],
    ['in a key misspelt', `recipient: [${RECIPIENT}]`, 'recipient', 'is not a key'],
    ['in a file that is no YAML', `recipients: [${RECIPIENT}`, 'config.yaml', 'cannot be used'],
  ])('%s', async (_, text, key, message) => {
    const { config, problems } = await loadFile(text)
    expect(config.recipients).toBe('unknown')
    expect(problems).toMatchObject([{ key, message: expect.stringContaining(message) }])
    expect(JSON.stringify(problems)).not.toContain(SECRET)
  })

  test('a variable names some or none, whatever the file says', async () => {
    const list = `recipients: [${RECIPIENT}]\n`
    expect((await loadFile(list)).config.recipients).toEqual([RECIPIENT])
    expect((await loadFile(list, { DIAGD_RECIPIENTS: 'none' })).config.recipients).toEqual([])
    expect((await loadFile('a: [', { DIAGD_RECIPIENTS: ` ${RECIPIENT},${RECIPIENT}` })).config.recipients).toEqual([
      RECIPIENT,
    ])
    expect((await load({ DIAGD_RECIPIENT: RECIPIENT })).config.recipients).toBe('unknown')
  })
})

test('an unknown key and an unknown variable are problems that name the known ones', async () => {
  const { problems } = await loadFile('lisen: none\n', { DIAGD_LISEN: 'none' })
  expect(problems).toEqual([
    { key: 'lisen', message: expect.stringContaining('accepted: node, listen, tls') },
    { key: 'DIAGD_LISEN', message: expect.stringContaining('accepted: DIAGD_NODE, DIAGD_LISTEN') },
  ])
})

test('DOCKER_HOST adds a socket; what is not a socket is named and not asked', async () => {
  const unix = await load({ DOCKER_HOST: 'unix:///run/user/1000/docker.sock', DIAGD_ENGINES: '/run/a.sock' })
  expect(unix.config.engines).toEqual(['/run/a.sock', '/run/user/1000/docker.sock'])
  const tcp = await load({ DOCKER_HOST: 'tcp://10.0.0.1:2375' })
  expect(tcp.config.engines).toEqual([])
  expect(tcp.problems).toMatchObject([{ key: 'DOCKER_HOST' }])
})

test('the socket of who is not root is in their runtime folder, else in a folder of theirs under the temporary one', async () => {
  const { config } = await load({ XDG_RUNTIME_DIR: '/run/user/1000' }, 1000)
  expect(config.socket).toBe('/run/user/1000/diagd/diagd.sock')
  expect((await load({}, 1000)).config.socket).toBe(join(tmpdir(), 'diagd-1000/diagd.sock'))
})

test('shows everything but secrets, limits and address in their own words', async () => {
  const { config } = await load({ DIAGD_NODE: 'hush', DIAGD_LIMITS: 'none' })
  const shown = masked(config, (key) => key === 'node' || key === 'auth')
  expect(shown).toMatchObject({ node: '(masked)', listen: '127.0.0.1:7433', auth: undefined })
  expect(shown.limits).toMatch(/^entry=none,/)
  expect(masked(config).node).toBe('hush')
  expect(JSON.stringify(shown)).not.toContain('hush')
})

test('docs/config.md tells of every key what the schema tells, and of no other', async () => {
  const docs = await readFile(new URL('../docs/config.md', import.meta.url), 'utf8')
  const documented = docs.split('\n').filter((line) => line.startsWith('| `'))
  const rows = CONFIG_KEYS.map((key) => {
    const meta = metaOf(key)
    return `| \`${key}\` | \`${variableOf(key)}\` | ${meta.description} | ${meta.accepts} | ${meta.default} |`
  })
  expect(documented).toEqual(rows)
})
