/** Which names of keys stand for a secret: the table that decides about `name=value` in every notation. */

const PASSWORD = 'password passwords passwd passwds passphrase passcode pwd pass psk'
const TOKEN = 'token tokens jwt'
const SECRET = 'secret'
const CREDENTIAL = 'credential credentials creds'

/** The last word of a name, or all of it. */
const LAST: Readonly<Record<string, string>> = {
  ...kind('password', PASSWORD),
  ...kind('token', TOKEN),
  ...kind('secret', SECRET),
  ...kind('credential', CREDENTIAL),
  ...kind('api-key', 'apikey authkey'),
  ...kind('session-id', 'phpsessid jsessionid sessid'),
}

/** The last two words. */
const LAST_TWO: Readonly<Record<string, string>> = {
  ...kind(
    'api-key',
    'api_key api_keys access_key auth_key account_key storage_key shared_key service_key license_key app_key',
  ),
  ...kind(
    'secret',
    'secret_key secret_keys signing_key encryption_key decryption_key master_key session_key unseal_key recovery_key',
  ),
  ...kind('secret', 'connection_string conn_string client_key preshared_key wep_key'),
  ...kind('password', 'gsm_pin 1x_pin sim_pin wps_pin ap_pin user_pin so_pin pin_value'),
  ...kind('secret', 'mka_cak'),
  ...kind('private-key', 'private_key rsa_private dsa_private ecdsa_private ed25519_private deploy_key key_material'),
}

/** Written together with something else: `dbpassword`, `authtoken`. */
const ENDINGS = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'apikey',
  'accesskey',
  'secretkey',
  'privatekey',
]

/** Words behind the decisive one that do not make it harmless: `password_b64`, `token_2`, `client-key-data`. */
const TRAILING = new Set(
  [
    'b64',
    'base64',
    'data',
    'value',
    'raw',
    'plain',
    'plaintext',
    'text',
    'base',
    'cleartext',
    'new',
    'old',
    'current',
    'previous',
  ].concat([
    'default',
    'hash',
    'hashed',
    'encrypted',
    'dev',
    'test',
    'prod',
    'production',
    'staging',
    'env',
    'literal',
    'decoded',
  ]),
)

/** Programs and words that merely end like one; directories of a shell. */
const HARMLESS = new Set([
  'chpasswd',
  'gpasswd',
  'htpasswd',
  'smbpasswd',
  'kpasswd',
  'yppasswd',
  'oldpwd',
  'nopasswd',
  'nopass',
])

/** What a token is of, when it is no credential: pages of a listing, words of a language model. */
const COUNTED = new Set(
  [
    'next',
    'page',
    'continue',
    'continuation',
    'sync',
    'end',
    'start',
    'eos',
    'bos',
    'pad',
    'unk',
    'stop',
    'max',
    'min',
  ].concat(
    [
      'num',
      'total',
      'prompt',
      'completion',
      'input',
      'output',
      'cached',
      'per',
      'used',
      'remaining',
      'unexpected',
      'ask',
    ],
    ['existing', 'update', 'cluster', 'cancellation', 'cancel'],
  ),
)

/** Parts of names that anchors are made of; at least four characters each (see scanner.ts). */
export const NAME_ANCHORS = [
  'pass',
  'secret',
  'token',
  'credential',
  'creds',
  ...[
    'api',
    'access',
    'auth',
    'account',
    'storage',
    'shared',
    'service',
    'license',
    'app',
    'signing',
    'encryption',
  ].map((word) => `${word}key`),
  ...['decryption', 'master', 'session', 'unseal', 'recovery', 'client', 'preshared', 'wep', 'private', 'deploy'].map(
    (word) => `${word}key`,
  ),
  ...['api', 'access', 'auth', 'account', 'storage', 'shared', 'service', 'license', 'app', 'signing', 'encryption']
    .concat([
      'decryption',
      'master',
      'session',
      'unseal',
      'recovery',
      'client',
      'preshared',
      'wep',
      'private',
      'deploy',
    ])
    .flatMap((word) => [`${word}_key`, `${word}-key`, `${word}.key`]),
  ...['rsa', 'dsa', 'ecdsa', 'ed25519'].map((word) => `${word}_private`),
  'connectionstring',
  'connection_string',
  'connection-string',
  'conn_string',
  'key_material',
  'keymaterial',
  'sessid',
  'jsessionid',
  ...['_', '-', '.'].flatMap((mark) => [`${mark}pwd`, `${mark}psk`, `${mark}jwt`]),
  ...['pwd', 'psk', 'jwt'].flatMap((word) => [
    `${word}=`,
    `${word}:`,
    `${word}"`,
    `${word}'`,
    `${word} =`,
    `${word} :`,
    `${word}\\`,
  ]),
  'dbpwd',
  'userpwd',
  // Of NetworkManager, hostapd and PKCS #11.
  ...['gsm', '1x', 'sim', 'wps', 'ap', 'user', 'so'].flatMap((word) => [`${word}_pin`, `${word}-pin`, `${word}.pin`]),
  'pin-value',
  'pin_value',
  'mka-cak',
  'mka_cak',
]

/** The kind of secret that a key's name stands for; undefined when it stands for none. */
export function secretKind(name: string, further: ReadonlySet<string>): string | undefined {
  if (further.size > 0 && further.has(name.toLowerCase())) return 'secret'
  // A shell's working directory.
  if (name === 'PWD') return undefined
  const words = wordsOf(name)
  while (words.length > 0) {
    const last = words.at(-1)!
    const before = words.at(-2)
    const two = before === undefined ? undefined : LAST_TWO[`${before}_${last.replace(/\d+$/, '')}`]
    if (two !== undefined) return two
    if (HARMLESS.has(last)) return undefined
    const kind = LAST[last] ?? ended(last)
    if (kind !== undefined) return before !== undefined && COUNTED.has(before) ? undefined : kind
    if (!TRAILING.has(last) && !/^\d+$/.test(last)) return undefined
    words.pop()
  }
  return undefined
}

/** `dbPassword2` → db, password, 2. */
function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replaceAll(/([A-Za-z]{3})(\d)/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

function ended(word: string): string | undefined {
  const ending = ENDINGS.find((one) => word.endsWith(one))
  if (ending === undefined) return undefined
  return LAST[ending] ?? LAST_TWO[ending.replace('key', '_key')]
}

function kind(name: string, words: string): Record<string, string> {
  return Object.fromEntries(words.split(' ').map((word) => [word, name]))
}
