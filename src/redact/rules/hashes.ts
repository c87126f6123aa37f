/** Hashes of passwords, as /etc/shadow, htpasswd, LDAP and databases hold them: what is hashed can be guessed. */
import type { Rule } from '../rule.ts'
import { token, type Row } from './token.ts'

/** A dollar, or as shell and YAML within compose files write one. */
const D = String.raw`(?:\\{1,3}\$|\$\$?)`
const CRYPT = '[./A-Za-z0-9]'

/** By the name between the dollars: what follows it. */
const FORMS: Readonly<Record<string, string>> = {
  '1': `${CRYPT}{1,8}${D}${CRYPT}{22,}`,
  apr1: `${CRYPT}{1,8}${D}${CRYPT}{22,}`,
  '5': `(?:rounds=\\d{1,9}${D})?${CRYPT}{1,16}${D}${CRYPT}{43,}`,
  '6': `(?:rounds=\\d{1,9}${D})?${CRYPT}{1,16}${D}${CRYPT}{86,}`,
  y: `${CRYPT}{1,64}${D}${CRYPT}{1,86}${D}${CRYPT}{43,}`,
  gy: `${CRYPT}{1,64}${D}${CRYPT}{1,86}${D}${CRYPT}{43,}`,
  '7': `${CRYPT}{8,100}${D}${CRYPT}{43,}`,
  '2[abxy]': `\\d\\d${D}${CRYPT}{53,}`,
  scrypt: `[A-Za-z0-9=,]{3,40}${D}[A-Za-z0-9./+]{8,100}${D}[A-Za-z0-9./+]{20,}={0,2}`,
  'argon2(?:id|i|d)': `v=\\d{1,4}${D}[a-z0-9=,]{5,60}${D}[A-Za-z0-9+/]{8,100}${D}[A-Za-z0-9+/]{16,}`,
  'pbkdf2(?:-sha\\d{1,3})?': `[a-z0-9=,]{1,40}${D}[A-Za-z0-9./+]{8,100}${D}[A-Za-z0-9./+]{20,}`,
}

const NAMES = ['apr1', 'gy', '2a', '2b', '2x', '2y', 'scrypt', 'argon2', 'pbkdf2', '1', '5', '6', '7', 'y']

function anchors(): string[] {
  const plain = NAMES.map((name) => (name.length > 2 ? `$${name}` : `$${name}$`))
  const escaped = NAMES.flatMap((name) => [`\\$${name}\\`, `$$${name}`.padEnd(4, '$')])
  return [...new Set([...plain, ...escaped])]
}

const ROWS: readonly Row[] = [
  {
    id: 'password-hash',
    title: 'Password hash of crypt(3) and the like',
    anchors: anchors(),
    // A backslash before it may be half of one that is escaped: in JSON it has to stay.
    pattern: String.raw`\\{0,3}(?<secret>\$\$?(?:${Object.entries(FORMS)
      .map(([name, rest]) => `${name}${D}${rest}`)
      .join('|')}))`,
    secret: (random) => `$6$${random(16)}$${random(86)}`,
  },
  {
    id: 'ldap-hash',
    title: 'Password hash of LDAP',
    anchors: ['{ssha', '{smd5}', '{sha}', '{md5}', '{sha256}', '{sha512}'],
    pattern: String.raw`\{(?:SSHA|SHA|SMD5|MD5|SSHA256|SSHA512|SHA256|SHA512)\}[A-Za-z0-9+/]{20,}={0,2}`,
    secret: (random) => `{SSHA}${random(32, 'base64')}`,
  },
  {
    id: 'database-hash',
    title: 'Password hash of a database or framework',
    anchors: ['scram-sha-', 'pbkdf2_sha', 'pbkdf2:sha'],
    pattern: String.raw`(?:SCRAM-SHA-\d{1,3}\$\d{1,9}:[A-Za-z0-9+/=]{8,100}\$[A-Za-z0-9+/=]{20,100}:[A-Za-z0-9+/=]{20,}|pbkdf2_sha\d{1,3}\$\d{1,9}\$[A-Za-z0-9+/=]{4,100}\$[A-Za-z0-9+/=]{20,}|pbkdf2:sha\d{1,3}:\d{1,9}\$[A-Za-z0-9]{4,100}\$[a-f0-9]{32,})`,
    secret: (random) => `SCRAM-SHA-256$4096:${random(24, 'base64')}$${random(44, 'base64')}:${random(44, 'base64')}`,
  },
]

export const HASH_RULES: readonly Rule[] = ROWS.map(token)
