/** Parameters of a URL that grant something: signatures and tokens. */
import { matching } from '../find.ts'
import type { Rule } from '../rule.ts'

const SIGNATURES = ['x-amz-signature', 'x-amz-security-token', 'x-goog-signature', 'signature', 'sig']
const GRANTS = [
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'auth_token',
  'private_token',
  'job_token',
  'key',
  'api_key',
  'apikey',
  'auth',
  'secret',
  'client_secret',
]

/** What comes before a parameter, in a URL, in HTML, in JSON, in a URL within a URL. */
const SEPARATORS = ['?', '&', 'amp;', 'u0026', 'u003f', '%26', '%3f']

const VALUE = String.raw`[^\s&#"'\x60<>\\%$]|%(?!26|23)`

export const QUERY_RULES: readonly Rule[] = [
  {
    id: 'signed-url',
    title: 'Signature of a URL',
    ...parameter('signed-url', SIGNATURES, `(?:${VALUE}){8,}`),
    rank: 1,
    canary: (random) => {
      const secret = random(64, 'hex')
      return {
        text: `GET https://b.s3.amazonaws.com/k?X-Amz-Expires=900&X-Amz-Signature=${secret}\n`,
        secrets: [secret],
      }
    },
  },
  {
    id: 'url-token',
    title: 'Token in the query of a URL',
    ...parameter(
      'url-token',
      GRANTS,
      String.raw`(?=[^\s&#\"'<>\\\d]{0,99}\d)(?=[^\s&#\"'<>\\a-z]{0,99}[a-z])(?:${VALUE}){12,}`,
    ),
    rank: 1,
    canary: (random) => {
      const secret = `4${random(31)}a`
      return { text: `"GET /callback?state=x&access_token=${secret} HTTP/1.1" 302\n`, secrets: [secret] }
    },
  },
]

function parameter(id: string, names: readonly string[], value: string): Pick<Rule, 'anchors' | 'find' | 'resume'> {
  const anchors = names.flatMap((name) => [
    ...SEPARATORS.map((separator) => `${separator}${name}=`),
    `%26${name}%3d`,
    `%3f${name}%3d`,
  ])
  const separator = SEPARATORS.map((text) => text.replace('?', String.raw`\?`)).join('|')
  const pattern = String.raw`(?:${separator})(?:${names.join('|')})(?:=|%3d)(?![$]|%24)(?<secret>${value})`
  return { anchors, ...matching(id, new RegExp(pattern, 'i')) }
}
