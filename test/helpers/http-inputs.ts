/** What somebody could send to an HTTP port: nearly right, wrong, and nothing of the kind. For property tests. */
import * as fc from 'fast-check'

/** In every Authorization header that is made here: nothing may repeat it. */
export const SECRET = 'Zq7secret4711Zq7'

export interface HttpInput {
  readonly bytes: string
  /** Where the bytes are cut into two writes, from 0 to 1. */
  readonly cut: number
  readonly leavesEarly: boolean
}

/** One of the lines. */
const lineOf = (text: string) => fc.constantFrom(...text.split('\n').map((line) => line.trim()))
const wordOf = (text: string) => fc.constantFrom(...text.split(' '))
const mostly = (often: fc.Arbitrary<string>, seldom: fc.Arbitrary<string>, weight = 8) =>
  fc.oneof({ weight, arbitrary: often }, { weight: 1, arbitrary: seldom })
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array).toString('latin1'))
const long = (max: number) => fc.nat({ max }).map((length) => 'a'.repeat(length))

const token = fc.stringMatching(/^[!#-'*+.^-z|~-]{1,12}$/)
const encoded = fc.oneof(
  wordOf('%00 % %2 %zz %2e%2e %2f %c3%28 %F0%9F + ; // /.. \\ # * ? & ='),
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((string) => encodeURIComponent(string.toWellFormed())),
  fc.stringMatching(/^[!-~]{0,12}$/),
)
const parameter = wordOf(
  'only skip since until around format compression limits recipient token x __proto__ constructor toString only[] only[a] only.a hasOwnProperty toJSON then  ',
)
const value = fc.oneof(
  wordOf(
    'kernel kernel,boot -1 1h 1e999 NaN none entry=1GiB tar {} [] null 2026-01-01T00:00:00Z -271821-04-20 +275760-09-13 now',
  ),
  wordOf('1970 %00 %0d%0aX:y __proto__ 999999999999999999999999999999 bundle=0 entry=,,, 5m%2B5m ../../etc/passwd'),
  encoded,
  long(12_000),
)
const query = fc
  .array(fc.tuple(parameter, value), { maxLength: 5 })
  .map((pairs) => (pairs.length > 0 ? `?${pairs.map((pair) => pair.join('=')).join('&')}` : ''))
const path = fc.oneof(
  {
    weight: 4,
    arbitrary: wordOf('/health /debug-package /debug-package / //health /health/ /HEALTH /__proto__ /constructor'),
  },
  { weight: 2, arbitrary: fc.array(encoded, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`) },
  {
    weight: 2,
    arbitrary: wordOf(
      '*  health http://localhost/health http://evil/health http:// https://localhost ftp://a/ http://localhost?only=x http://a@localhost/ http://[::1]:1/health javascript:alert(1)',
    ),
  },
)

/** That the parser lets through. */
const goodHeader = fc.oneof(
  lineOf(`Host: localhost
    Connection: close
    Connection: Upgrade
    Connection: keep-alive, TE
    Upgrade: h2c
    Expect: 100-continue
    Content-Length: 0
    Origin: http://localhost
    Sec-Fetch-Site: none
    Content-Type: application/json
    Content-Type: ;;;
    Range: bytes=0-0
    X-HTTP-Method-Override: DELETE
    X-Forwarded-For: 127.0.0.1
    Accept-Version: 1.0.0
    __proto__: x`),
  fc
    .constantFrom('Basic', 'Bearer', 'bearer ', 'Bearer diagd_', 'Bearer eyJ.eyJ.', '')
    .map((kind) => `Authorization: ${kind} ${SECRET}`),
  wordOf('Cookie Proxy-Authorization X-Api-Key').map((name) => `${name}: ${SECRET}`),
  fc.tuple(token, fc.stringMatching(/^[ -~]{0,40}$/)).map((field) => field.join(': ')),
)
const badHeader = fc.oneof(
  lineOf(`Host: localhost
    Host: evil.example
    Host:
    Host: [::1
    Expect: x
    Content-Length: 5
    Content-Length: -1
    Content-Length: 99999999999999999999
    Transfer-Encoding: chunked
    Transfer-Encoding: gzip, chunked
    Transfer-Encoding: x
    Origin: null
    Sec-Fetch-Site: cross-site
    Date
    : x`),
  fc.tuple(token, bytes(40)).map((field) => field.join(': ')),
  long(20_000).map((content) => `X: ${content}`),
)
const body = fc.oneof(
  fc.constantFrom('', 'hello', '0\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n', 'zz\r\n', '-1\r\n', 'ffffffffffffffff\r\n'),
  fc.constantFrom('5;a="\r\n', '0\r\nHost: a\r\n\r\n', '{"__proto__":{"x":1}}'),
  bytes(40),
)

const request = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: wordOf('GET GET HEAD POST PUT DELETE OPTIONS PATCH TRACE CONNECT QUERY') },
      { weight: 1, arbitrary: fc.oneof(wordOf('get PRI M-SEARCH '), token, bytes(10)) },
    ),
    fc.tuple(path, query).map((parts) => parts.join('')),
    mostly(
      fc.constant(' HTTP/1.1'),
      lineOf('HTTP/1.0\nHTTP/0.9\nHTTP/2.0\nHTTP/1.2\nHTTP/x\nRTSP/1.0\n').map((version) => ` ${version}`),
    ),
    mostly(fc.constant('Host: localhost\r\n'), fc.constant('')),
    fc.array(mostly(goodHeader, badHeader, 12), { maxLength: 4 }),
    mostly(
      fc.constant(''),
      fc.nat({ max: 200 }).map((count) => 'a: b\r\n'.repeat(count)),
      20,
    ),
    mostly(fc.constant('\r\n'), fc.constantFrom('\n', '\r'), 20),
    mostly(fc.constant(''), body),
  )
  .map(([method, target, version, host, headers, many, ending, content]) => {
    return [`${method} ${target}${version}\r\n${host}${many}X: y`, ...headers, '', content].join(ending)
  })

export const httpInput: fc.Arbitrary<HttpInput> = fc.record({
  bytes: fc.oneof(
    { weight: 8, arbitrary: fc.array(request, { minLength: 1, maxLength: 4 }).map((requests) => requests.join('')) },
    { weight: 1, arbitrary: bytes(300) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc',
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        '\r\n'.repeat(50),
      ),
    },
  ),
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
  leavesEarly: fc.nat({ max: 4 }).map((number) => number === 0),
})
