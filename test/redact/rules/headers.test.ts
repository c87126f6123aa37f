/** Headers of HTTP. */
import { random } from '../mask-all.ts'
import { table } from './table.ts'

const r = random
const A = '<masked:authorization:#>'
const C = '<masked:cookie:#>'
const basic = Buffer.from('me:s3cret').toString('base64')

table('authorization', {
  masked: [
    [`> Authorization: Bearer ${r(30)}9\r\n`, `> Authorization: Bearer ${A}\r\n`],
    [`Proxy-Authorization: Basic ${basic}\n`, `Proxy-Authorization: Basic ${A}\n`],
    [`curl -H 'Authorization: token 1${r(20)}' http://x`, `curl -H 'Authorization: token ${A}' http://x`],
    [`{"Authorization": "Bearer ${r(30)}9", "a": 1}`, `{"Authorization": "Bearer ${A}", "a": 1}`],
    [`{"authorization":["Negotiate YII${r(40)}"]}`, `{"authorization":["Negotiate ${A}"]}`],
    [
      String.raw`{"m":"{\"authorization\":\"Bearer ${r(30)}9\"}"}`,
      String.raw`{"m":"{\"authorization\":\"Bearer ${A}\"}"}`,
    ],
    [
      'Authorization: Digest username="me", realm="x", response="6629fae49393a053"\nnext',
      `Authorization: Digest ${A}\nnext`,
    ],
    [
      `curl -H "Authorization: Digest username=me, response=66" http://x`,
      `curl -H "Authorization: Digest ${A}" http://x`,
    ],
    [
      String.raw`{"authorization":"Digest username=\"me\", response=\"6629fae49393a053\"","b":1}`,
      `{"authorization":"Digest ${A}","b":1}`,
    ],
    [
      'Authorization: AWS4-HMAC-SHA256 Credential=abc/20260101/us-east-1/s3/aws4_request, Signature=fe5f80\n',
      `Authorization: AWS4-HMAC-SHA256 ${A}\n`,
    ],
    [`msg="got Bearer 1${r(20)}x"`, 'msg="got Bearer <masked:bearer-token:#>"'],
    [`sent Basic ${basic} to it`, 'sent Basic <masked:basic-credentials:#> to it'],
  ],
  untouched: [
    'Authorization header is missing; Authorization: none; authorization=required',
    'Bearer token is invalid; Authorization: Bearer token; WWW-Authenticate: Bearer realm="x"',
    'basic auth failed; Basic authentication of user me; basic checks passed: 12',
    'authorization-mode=Node,RBAC and authorization: enabled, authorization.k8s.io/v1',
    "curl -H 'Authorization: Bearer $TOKEN' -H \"Authorization: Bearer ${TOKEN}\" -H 'Authorization: Bearer <token>'",
    'Digest authorization: failed; Authorization: Digest\n',
  ],
})

table('cookies', {
  masked: [
    ['Cookie: a=1; csrf=x%20y\r\nHost: h', `Cookie: a=${C}; csrf=${C}\r\nHost: h`],
    [
      'Set-Cookie: sid=abc; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/; Secure; SameSite=Lax',
      `Set-Cookie: sid=${C}; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/; Secure; SameSite=Lax`,
    ],
    [`curl -H 'Cookie: sid=abc' -b x`, `curl -H 'Cookie: sid=${C}' -b x`],
    ['{"cookie": "a=b; c=d", "x": "y=z"}', `{"cookie": "a=${C}; c=${C}", "x": "y=z"}`],
    [String.raw`"{\"cookie\":\"a=b; c=d\"}"`, String.raw`"{\"cookie\":\"a=${C}; c=${C}\"}"`],
    ['["set-cookie", "a=b; Path=/"]', `["set-cookie", "a=${C}; Path=/"]`],
    [
      '{"set-cookie":["a=b; Path=/","c=d; HttpOnly"],"e":"f=g"}',
      `{"set-cookie":["a=${C}; Path=/","c=${C}; HttpOnly"],"e":"f=g"}`,
    ],
  ],
  untouched: [
    'Set-Cookie header missing; no cookie: none; cookies=3',
    'TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies.',
    'audit cookie=0x1234 nfs cookie: 17, cookie=12345',
    'Set-Cookie: a=; Path=/; Max-Age=0',
  ],
})
