/** Names and values: every notation in which a secret stands under its name, and what only looks like one. */
import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { maskAll } from './mask-all.ts'

const SECRET = 'k7Wq9zLp2XvR4tB8'

/** A mask of any kind is `§` again: a text with `§` for its secrets stays as it is. */
function blanked(text: string): string {
  return maskAll(text).replaceAll(/<masked:[a-z0-9-]+:[0-9a-f]{6}>/g, '§')
}

/** `§` is where the secret stands. */
const SECRETS: Record<string, string[]> = {
  shell: [
    'PASSWORD=§',
    'export DB_PASSWORD=§',
    "export DB_PASSWORD='§'",
    'DB_PASSWORD="§" ./run --fast',
    '+ DB_PASSWORD=§ ./run',
    'A=1 MYSQL_PWD=§ mysqldump app',
    'set -x; API_KEY=§; run',
    'declare -x GITHUB_TOKEN="§"',
    'PGPASSWORD=§ psql -h db -U app',
  ],
  env: [
    'REDIS_PASSWORD=§',
    'APP_SECRET="§"',
    'A=1\0DB_PASSWORD=§\0B=2\0',
    'SECRET_KEY_BASE=§',
    'AWS_SECRET_ACCESS_KEY=§',
  ],
  'Docker Env': [
    '"Env": ["PATH=/bin","POSTGRES_PASSWORD=§","LANG=C"]',
    '"Env":[\n  "POSTGRES_PASSWORD=§",\n  "LANG=C"\n]',
    String.raw`{"log":"{\"Env\":[\"API_TOKEN=§\",\"A=1\"]}\n"}`,
    'Environment=DB_PASSWORD=§',
    'Environment="DB_PASSWORD=§" "A=1"',
    'docker run -e DB_PASSWORD=§ -e A=1 app',
    'docker run --env=DB_PASSWORD=§ app',
  ],
  JSON: [
    '{"password":"§"}',
    '{"password": "§", "user": "a"}',
    '{ "db" : { "clientSecret" : "§" } }',
    '{"apiKey":"§","n":1}',
    '{"accessToken":"§"}',
    '{"refresh_token":"§","token_type":"Bearer"}',
    '{"private_key":"§"}',
    '{"passwords":["§","§"]}',
    '{"tokens":["§"],"x":1}',
    "{'password': '§', 'user': 'a'}",
    '{"x-api-key":"§"}',
    '{"access.token":"§"}',
  ],
  'escaped JSON': [
    String.raw`{"log":"{\"password\":\"§\",\"user\":\"a\"}\n"}`,
    String.raw`{"log":"{\"msg\":\"{\\\"password\\\":\\\"§\\\"}\"}\n"}`,
    String.raw`{"log":"{\"token\": \"§\"}"}`,
    String.raw`{"log":"password=§\n","stream":"stdout"}`,
    String.raw`{"log":"a\npassword=§\nb\n"}`,
    String.raw`{"log":"a\tDB_PASSWORD=§\tb\n"}`,
    String.raw`msg="login {\"api_key\":\"§\"}" level=info`,
  ],
  YAML: [
    'password: §',
    '  password: §',
    'password: "§"',
    "password: '§'",
    '- password: §',
    'password: |\n  §\nnext: 1',
    'password: |\n  §\n  §\nnext: 1',
    'db:\n  password: >-\n    §\n  user: a',
    'passwords:\n  - §\n  - §\nnext: 1',
    'passwords:\n- §\n- "§"\nnext: 1',
    '{user: a, password: §, port: 1}',
    'db: {password: §}',
    'db: {password: "§", user: a}',
    'client-key-data: §',
    '"password": §',
    'passwords: [§, §]',
    'passwords: ["§", §]\nnext: 1',
  ],
  'INI and properties': [
    '[db]\npassword = §\nuser = a',
    'password=§',
    'password:§',
    'spring.datasource.password=§',
    'spring.datasource.password = §',
    '; password = §',
    '#requirepass=1\nmasterauth_password = §',
    'db.password : §',
  ],
  XML: [
    '<password>§</password>',
    '<server><username>a</username><password>§</password></server>',
    '<Setting password="§" user="a"/>',
    '<add key="a" apiKey="§" />',
  ],
  flags: [
    'run --password § --verbose',
    'run --password=§ --verbose',
    'run --password="§" --verbose',
    'run --api-key=§',
    'run -password §',
    'run\0--password\0§\0--verbose\0',
    'run\0--password=§\0--verbose\0',
    '["run","--password","§","--verbose"]',
    '"Cmd": [\n  "run",\n  "--password",\n  "§",\n  "-v"\n]',
    '["run","--password=§","--verbose"]',
    String.raw`"cmd":"[\"run\",\"--token\",\"§\"]"`,
  ],
  'connection strings': [
    'Server=db;Database=a;User Id=a;Password=§;Encrypt=true',
    'host=db user=a password=§ dbname=a',
    "host=db user=a password='§' dbname=a",
    'AccountName=a;AccountKey=§;EndpointSuffix=core.windows.net',
    '"ConnectionString": "§"',
  ],
  logfmt: [
    'level=info password=§ user=a',
    'level=info token="§" user=a',
    '\u001B[36mpassword\u001B[0m=§ user=a',
    '\u001B[36mpassword=\u001B[0m§\u001B[0m user=a',
    '\u001B[2mtoken\u001B[0m\u001B[2m=\u001B[0m§ a=1',
    'time="x" msg="connect" secret=§',
  ],
  'line ends and other languages': [
    'PASSWORD=§\r\nA=1\r\n',
    'password: §\r\nuser: a\r\n',
    'password: |\r\n  §\r\nnext: 1\r\n',
    'größe=1 password=§ straße=2',
    '名前=値 password=§ 値',
    '"пароль":"x","password":"§","имя":"я"',
  ],
  'objects under a name': [
    '{"secret":{"value":"§"}}',
    '{"secret": {"type": "a", "data": "§"}, "n": 1}',
    '{"password":{"n":[1,{"a":"b"}],"current":"§","previous":"§"}}',
    '{"credentials":{"default":{"value":"§"}}}',
    'secret: {value: §}',
    "secret: {type: a, value: '§'}",
    'db: {secret: {value: §, n: 1}}',
    '{"secret"=>{"value"=>"§"}}',
    String.raw`{"log":"{\"secret\":{\"value\":\"§\"}}"}`,
    '{\n  "secret": {\n    "name": "a",\n    "value": "§"\n  }\n}',
  ],
  'below a name': [
    'password:\n  §\nuser: a',
    'db:\n  password:\n      §\n  user: a',
    'password: # of the database\n  §\nuser: a',
    'password:\n  "§"\nuser: a',
    'secret:\n  name: a\n  value: "§"\nnext: 1',
  ],
  'before a command': [
    'PASSWORD=§ ./start',
    'DB_PASSWORD=§ /usr/bin/start a b',
    'DB_PASSWORD=§ node server.js',
    'DB_PASSWORD=§ exec ./start',
    'DB_PASSWORD=§ && ./start',
    'DB_PASSWORD=§ | cat',
  ],
  'columns of a table': ['password=§\tuser\t12', 'a\tpassword=§\tb', '1\t2\napi_key = §\tb'],
  sentences: ['user a, password: §', 'login with password: § ok'],
}

describe.each(Object.entries(SECRETS))('%s', (_, texts) => {
  it.each(texts)('%j', (text) => expect(blanked(text.replaceAll('§', SECRET))).toBe(text))

  it.each(texts)('%j, in the middle of a log', (text) => {
    const log = `before: 1\n${text}\nafter: 2\n`
    expect(blanked(log.replaceAll('§', SECRET))).toBe(log)
  })
})

describe('values of letters that end things elsewhere', () => {
  test.each([
    ['"password":"a\\"b9!kq,Lw2"', '"password":"§"'],
    ['"password":"a b c d9 kq"', '"password":"§"'],
    ["password='a b c d9 kq' x", "password='§' x"],
    ['run: PASSWORD=aB3,dE5;fG7&hJ9 x', 'run: PASSWORD=§ x'],
    ['PASSWORD=correct horse battery\nA=1', 'PASSWORD=§\nA=1'],
    ['[db]\npassword=two words\nuser=a', '[db]\npassword=§\nuser=a'],
    ['password = two words ; and more', 'password = §'],
    ['password=two words\tuser', 'password=§\tuser'],
    ['{"secret":{"value":"a b c","n":1}}', '{"secret":{"value":"§","n":1}}'],
    ['secret: {value: two words, n: 1}', 'secret: {value: §, n: 1}'],
    ['secret: {value: a9:b=c, n: 1}', 'secret: {value: §, n: 1}'],
    ['password:\n  "two words"\nnext: 1', 'password:\n  "§"\nnext: 1'],
    ['password=${DB_PASSWORD:-hunter2}', 'password=${DB_PASSWORD:-§}'],
    ['{"passwords":[1,"hunter22",null,"hunter23"]}', '{"passwords":[1,"§",null,"§"]}'],
    ['--password aB3)dE5 x', '--password § x'],
    ['password: pä$$wörd9xY', 'password: §'],
    ['"password":12345678,"a":1', '"password":"§","a":1'],
    ['password=$ecr3t9kQw', 'password=§'],
    ['password: "-leading-dash9K"', 'password: "§"'],
    ['--password -leading9Kq x', '--password § x'],
    ['password=/aB3dE5fG7/hJ9+kL==', 'password=§'],
    ['password=hunter2', 'password=§'],
    ['password: hunter2', 'password: §'],
    ['"password": 12345abc', '"password": §'],
    ['{"a":"{\\"password\\":12345678}"}', '{"a":"{\\"password\\":\\"§\\"}"}'],
    ['{"password":"hunter2"}', '{"password":"§"}'],
    ['password=postgres', 'password=§'],
    ['"password":"secret"', '"password":"§"'],
  ])('%j', (text, expected) => expect(blanked(text)).toBe(expected))
})

describe('prose, code and references stay', () => {
  test.each([
    'token: invalid',
    'invalid token: expired',
    'password: ${{ secrets.X }}',
    'password=$PASSWORD',
    'password="$PASSWORD"',
    'password=${DB_PASSWORD}',
    'password=${DB_PASSWORD:-}',
    'PASSWORD=$(cat /run/secrets/pw)',
    'Enter password: ',
    'Enter password: \nok',
    'passwd: files systemd',
    'passwd:         files systemd\ngroup:          files systemd',
    'max_tokens: 4096',
    '"max_tokens":4096',
    'tokens used: 15',
    'POSTGRES_PASSWORD_FILE=/run/secrets/pw',
    'password_file: /run/secrets/pw',
    'password == null',
    'if (password === undefined) return',
    "Access denied for user 'a'@'b' (using password: YES)",
    '"token_type":"Bearer"',
    '"next_page_token":"aB3dE5fG7hJ9"',
    'nextPageToken: aB3dE5fG7hJ9',
    'password authentication failed for user "a"',
    'FATAL:  password authentication failed for user "postgres"',
    'Failed password for root from 192.0.2.1 port 22 ssh2',
    'Failed password for invalid user admin from 192.0.2.1 port 22 ssh2',
    'pam_unix(sshd:auth): check pass; user unknown',
    'systemd-ask-password-wall.path: Succeeded.',
    'Started Forward Password Requests to Wall Directory Watch.',
    'password: ""',
    'password=',
    'password=\nuser=a',
    '"password":null',
    '"password":""',
    '"password":true',
    'password: null',
    'password: ~',
    'password: ****',
    'password=[REDACTED]',
    'password=<password>',
    '<password></password>',
    '<password>',
    '  --password <password>   the password to use',
    '  --password string       the password to use',
    '  --token  the token of the run',
    'const password = process.env.PASSWORD',
    'password = getPassword()',
    'token = await fetchToken(user)',
    'PWD=/root',
    'OLDPWD=/root',
    '/etc/passwd: 12 lines',
    'GET /reset-password HTTP/1.1',
    'secretKeyRef:\n  name: a\n  key: b',
    '"secret":{"secretName":"web-tls","defaultMode":420}',
    '"Secret":{"File":{"Name":"a"},"SecretID":"b","SecretName":"c"}',
    '{"password":{"type":"string","description":"of the user","default":""}}',
    '{"token":{"value":15,"valid":true,"default":null}}',
    '{"secret":{"value":{"name":"a"},"data":["a"]}}',
    'secret: {secretName: web-tls, defaultMode: 420}',
    'password: {type: String, required: true}',
    'const token = { value: next() }',
    'secret:\n  secretName: web-tls\n  defaultMode: 420\n',
    'Password:\n  must be changed\n',
    'Tokens:\n  alpha1\n  beta2\n',
    'token:\n  expired\n',
    'password:\nhunter2 logged in\n',
    'password:\nhunter2\n',
    'db:\n  password:\n  hunter2\n',
    'Nov 21 15:36:25 vm app[1]: token:\nNov 21 15:36:26 vm cron[2]: started\n',
    '# Passwords:\n# - eight letters at least\n',
    'chpasswd <<EOF\nEOF\nat:once\n',
    'passwords: []',
    'password: {{ password }}',
    "password: \"{{ lookup('env', 'X') }}\"",
    'SyntaxError: Unexpected token: }',
    'tokenizer: fast',
    'bypass: on',
    'compass=north',
    'passed: 15, failed: 3',
    'author: me, authority: you',
    'password must be changed',
    'secret not found',
    'pass=3 fail=1',
    'The password is not set.',
  ])('%j', (text) => expect(blanked(text)).toBe(text))
})

describe('a command line in a journal of JSON', () => {
  const hash = `$6$abcdefgh$${SECRET.repeat(6).slice(0, 86)}`
  test.each(['--password', '-p'])('useradd %s', (flag) => {
    const line = (secret: string) => JSON.stringify({ _CMDLINE: `useradd anna ${flag} "${secret}" -m`, _PID: '1' })
    const masked = maskAll(line(hash.replaceAll('$', String.raw`\$`)))
    expect(JSON.parse(masked)).toHaveProperty('_PID', '1')
    expect(blanked(masked)).toBe(line('§'))
  })
})

const plain = { unit: fc.constantFrom(...Array.from('ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789')) }
const secretName = fc.constantFrom('password', 'DB_PASSWORD', 'apiKey', 'client_secret', 'accessToken', 'credentials')
const secretValue = fc.string({ ...plain, minLength: 12, maxLength: 24 }).map((text) => `x7${text}`)

/** A document with secrets in it, and the secrets. */
const documents = fc
  .tuple(
    fc.json({ maxDepth: 3 }),
    fc.array(fc.tuple(secretName, secretValue, fc.nat(3)), { minLength: 1, maxLength: 5 }),
    fc.nat(2),
  )
  .map(([other, pairs, deep]) => {
    const nested = pairs.map(([name, value, shape]) => shaped(name, value, shape))
    let document: unknown = { other: JSON.parse(other) as unknown, nested, [pairs[0]![0]]: pairs[0]![1] }
    for (let level = 0; level < deep; level++) document = { log: JSON.stringify(document) }
    return { document, secrets: pairs.map(([, value]) => value) }
  })

function shaped(name: string, value: string, shape: number): unknown {
  if (shape === 0) return { [name]: value }
  if (shape === 1) return { [name]: [value, value] }
  if (shape === 2) return { a: { [name]: value, port: 5432 }, ok: true }
  return [`${name}=${value}`, 'LANG=C']
}

describe('JSON stays JSON, and holds no secret', () => {
  it.each([0, 2])('with an indent of %i', (indent) => {
    fc.assert(
      fc.property(documents, ({ document, secrets }) => {
        const masked = maskAll(JSON.stringify(document, undefined, indent))
        expect(Object.keys(unwrapped(masked))).toEqual(Object.keys(unwrapped(JSON.stringify(document))))
        for (const secret of secrets) expect(masked).not.toContain(secret)
      }),
      { numRuns: 300 },
    )
  })

  it('with values of every kind under secret names', () => {
    const named = fc.dictionary(secretName, fc.jsonValue({ maxDepth: 2 }), { minKeys: 1 })
    fc.assert(
      fc.property(named, fc.nat(2), (document, deep) => {
        let text = JSON.stringify({ a: document, b: [document] })
        for (let level = 0; level < deep; level++) text = JSON.stringify({ log: text })
        expect(Object.keys(unwrapped(maskAll(text)))).toEqual(['a', 'b'])
      }),
      { numRuns: 500 },
    )
  })
})

function unwrapped(text: string): object {
  let parsed = JSON.parse(text) as { log?: string }
  while (typeof parsed.log === 'string') parsed = JSON.parse(parsed.log) as { log?: string }
  return parsed
}

it('changes nothing of what is masked already', () => {
  for (const text of Object.values(SECRETS).flat()) {
    const once = maskAll(text.replaceAll('§', SECRET))
    expect(maskAll(once)).toBe(once)
  }
})
