/** Private keys, as logs and files hold them. */
import { random } from '../mask-all.ts'
import { table } from './table.ts'

const K = '<masked:private-key:#>'
const body = [random(64), random(64), `${random(22)}==`]
const pem = (name: string, join: string, lines = body) =>
  [`-----BEGIN ${name}-----`, ...lines, `-----END ${name}-----`].join(join)
const masked = (name: string, join: string) => pem(name, join, [K, K, K])
const wrapped = Buffer.from(pem('PRIVATE KEY', '\n')).toString('base64')

/** Lines of fewer letters than any tool writes, the last one shorter. */
const NARROW = [8, 16, 32, 39].map((width): [number, string[]] => [
  width,
  [...[0, 1, 2].map((n) => `${n}Ab${random(width - 3)}`), 'Zw=='],
])

table('in lines', {
  masked: [
    ...['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'OPENSSH PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'].map(
      (name): [string, string] => [`a\n${pem(name, '\n')}\nb word\n`, `a\n${masked(name, '\n')}\nb word\n`],
    ),
    [pem('PRIVATE KEY', '\r\n'), masked('PRIVATE KEY', '\r\n')],
    [`key: |\n  ${pem('PRIVATE KEY', '\n  ')}\nx: y`, `key: |\n  ${masked('PRIVATE KEY', '\n  ')}\nx: y`],
    [`> ${pem('PRIVATE KEY', '\n> ')}`, `> ${masked('PRIVATE KEY', '\n> ')}`],
    [
      pem('PRIVATE KEY', '\nNov 21 14:21:43 host app[123]: '),
      masked('PRIVATE KEY', '\nNov 21 14:21:43 host app[123]: '),
    ],
    [
      `{"log":"${pem('PRIVATE KEY', '\\n","time":"2026-11-21T14:21:43.1Z"}\n{"log":"')}`,
      `{"log":"${masked('PRIVATE KEY', '\\n","time":"2026-11-21T14:21:43.1Z"}\n{"log":"')}`,
    ],
    [
      pem('RSA PRIVATE KEY', '\n', ['Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,0F', '', ...body]),
      pem('RSA PRIVATE KEY', '\n', ['Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,0F', '', K, K, K]),
    ],
    [
      pem('PGP PRIVATE KEY BLOCK', '\n', ['Version: 1', '', ...body, '=aB1d']),
      pem('PGP PRIVATE KEY BLOCK', '\n', ['Version: 1', '', K, K, K, K]),
    ],
    ...NARROW.flatMap(([width, lines]): [string, string][] =>
      ['', '> ', '  ', 'Nov 21 14:21:43 host app[123]: '].map((head) => [
        `width ${width}\n${head}${pem('PRIVATE KEY', `\n${head}`, lines)}\n${head}word\n`,
        `width ${width}\n${head}${pem(
          'PRIVATE KEY',
          `\n${head}`,
          lines.map(() => K),
        )}\n${head}word\n`,
      ]),
    ),
    [
      `{"log":"${pem('PRIVATE KEY', '\\n","time":"2026-11-21T14:21:43.1Z"}\n{"log":"', NARROW[1]![1])}`,
      `{"log":"${pem('PRIVATE KEY', '\\n","time":"2026-11-21T14:21:43.1Z"}\n{"log":"', [K, K, K, K])}`,
    ],
    [
      pem('RSA PRIVATE KEY', '\n', ['Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,0F', '', ...NARROW[0]![1]]),
      pem('RSA PRIVATE KEY', '\n', ['Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,0F', '', K, K, K, K]),
    ],
    [
      `-----BEGIN PRIVATE KEY-----\n${body[0]}\nit broke off here\n`,
      `-----BEGIN PRIVATE KEY-----\n${K}\nit broke off here\n`,
    ],
    [
      `PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 3\n${body.join('\n')}\nPrivate-MAC: 0f\n`,
      `PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 3\n${K}\n${K}\n${K}\nPrivate-MAC: 0f\n`,
    ],
  ],
  untouched: [
    pem('CERTIFICATE', '\n'),
    pem('PUBLIC KEY', '\n'),
    'no -----BEGIN PRIVATE KEY----- in the file\nstarted nginx\nstopped nginx\nreloaded\n',
    'expected "-----BEGIN RSA PRIVATE KEY-----", found "-----BEGIN CERTIFICATE-----"',
    '-----BEGIN PRIVATE KEY-----\nstarted\nstopped\nreloaded\n',
    `app: got -----BEGIN PRIVATE KEY-----\napp: found aB3dE5fG7hJ9\n`,
    `-----BEGIN PRIVATE KEY-----\n${'nothing here\n'.repeat(9)}sha256 ${'a'.repeat(64)}\n`,
  ],
})

const one = (name: string, between = K) => `-----BEGIN ${name}-----${between}-----END ${name}-----`

table('on one line', {
  masked: [
    [`{"key":"${pem('PRIVATE KEY', '\\n')}\\n"}`, `{"key":"${one('PRIVATE KEY')}\\n"}`],
    ...NARROW.map(([, lines]): [string, string] => [
      `{"key":"${pem('PRIVATE KEY', '\\n', lines)}\\n"}`,
      `{"key":"${one('PRIVATE KEY')}\\n"}`,
    ]),
    [`"{\\"key\\":\\"${pem('PRIVATE KEY', '\\\\n')}\\"}"`, `"{\\"key\\":\\"${one('PRIVATE KEY')}\\"}"`],
    [`env K=${pem('RSA PRIVATE KEY', ' ')} L=1`, `env K=${one('RSA PRIVATE KEY')} L=1`],
    [`"-----BEGIN PRIVATE KEY-----\\n${body[0]}\\nabc" x`, `"-----BEGIN PRIVATE KEY-----${K}" x`],
    [`\\"-----BEGIN PRIVATE KEY-----\\\\n${body[0]}\\" x`, `\\"-----BEGIN PRIVATE KEY-----${K}\\" x`],
    [`client-key-data: ${wrapped}\nx`, 'client-key-data: <masked:private-key-base64:#>\nx'],
    [
      `${wrapped.slice(0, 76)}\n${wrapped.slice(76, 152)}\n${wrapped.slice(152)}\nend of it`,
      '<masked:private-key-base64:#>\n<masked:private-key-base64:#>\n<masked:private-key-base64:#>\nend of it',
    ],
  ],
  untouched: [
    '"-----BEGIN PRIVATE KEY-----\\nexpected\\nfound"',
    `{"cert":"${pem('CERTIFICATE', '\\n')}"}`,
    `certificate-authority-data: ${Buffer.from(pem('CERTIFICATE', '\n')).toString('base64')}`,
    'PEM starts with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----',
    'LS0tLS1CRUdJTi is -----BEGIN in base64',
  ],
})
