/** Whether what stands behind a secret's name is one: a reference, a placeholder or a word of prose is not. */
import { isMask } from '../mask.ts'

/** How the value is tied to its name. */
export type Tie = 'equals' | 'colon' | 'space' | 'quoted'

const NOTHING = words(
  'null nil none undefined true false yes no on off unset redacted masked hidden n/a na empty default optional required random r',
)

/** Types in code and help texts. */
const TYPES = words(
  'string str bool boolean number int integer any bytes object char text stringarray phrase name value val file',
)

/** What follows a name in prose: "token: invalid", "--password to set". */
const PROSE = words(
  `invalid expired missing incorrect wrong not is was has must cannot could too unable using with without and or instead when if in by
  the a an to from for of on as at it this that failed failure fails denied unknown error errors valid accepted rejected changed updated set given
  found ok minimum maximum min max length verified verification authentication authenticator authorization auth login user account password passwd token secret key flag option
  argument change changing reset resetting rotated rotation rotate prompt prompts prompted entered provided supplied needed unauthorized forbidden
  mismatch malformed revoked created deleted generated loaded refreshed refresh ignored disabled enabled check checking checked use used see
  will would should may can does did are were be been being no-password files compat systemd sss winbind ldap mount file default exists
  already secrets read on_create operation policy running always include write unexpected bytes buffer simple filtered signature session request response source type`,
)

/** Alone behind a name that begins a line: what became of a token, not one. */
const STATUS = words(
  `invalid expired missing incorrect wrong failed failure denied error errors valid accepted rejected changed updated found ok minimum maximum min max length verified
  unauthorized forbidden mismatch malformed revoked created deleted generated loaded refreshed ignored disabled enabled provided needed`,
)

export function isPlausible(raw: string, name: string, kind: string, tie: Tie): boolean {
  const value = raw.slice(0, JUDGED).trim()
  if (value === '' || isMask(value)) return false
  const folded = wordOf(value)
  if (NOTHING.has(folded) || isStandIn(value) || isReference(value, name) || isPath(value)) return false
  if (isMessage(value, name, tie) || isSaidOf(value, name, tie)) return false
  // The bracket at which a parser gave up.
  if (tie !== 'quoted' && /^[!-/:-@[-`{-~]{1,3}$/.test(value)) return false
  // A password may be as short as that.
  if (/^x$/i.test(value) && kind !== 'password') return false
  // A count: "token: 15", "pass: 3".
  if (/^[\d.,]{1,7}$/.test(value) && (kind === 'token' || /^pass$/i.test(name))) return false
  if (tie === 'quoted') return true
  if (STATUS.has(folded)) return false
  if (TYPES.has(folded) && !(tie === 'equals' && kind === 'password')) return false
  if (tie === 'equals') return !isCode(value)
  // A sentence of small words: "invalid or expired …".
  const [first = ''] = /^[^\s,]*/.exec(value)!
  return !PROSE.has(wordOf(first))
}

/** By its beginning a long value is told from prose. */
const JUDGED = 256

/** In lower case, without the punctuation behind it. */
function wordOf(text: string): string {
  let end = text.length
  while (end > 0 && '.,;:!?)]'.includes(text[end - 1]!)) end--
  return end > LONGEST_WORD ? '' : text.slice(0, end).toLowerCase()
}

const LONGEST_WORD = 32

/** What is said of a secret instead of it: how long it is, where it comes from, another pair. */
function isSaidOf(value: string, name: string, tie: Tie): boolean {
  if (value.startsWith('), ') || value === '!') return true
  if (tie === 'quoted') return false
  if (/^(?:\d+ bytes$|<set to the key |\((?:sensitive|known)\b|\{ |\[u8)/.test(value)) return true
  // `password=password`, `'x-api-key': apiKey`, `secret=config["secret"]`: a variable of the same name.
  const letters = (text: string) => text.toLowerCase().replaceAll(/[^a-z]/g, '')
  if (/^[a-zA-Z_]+[;,)]*$/.test(value) && letters(name).endsWith(letters(value)) && letters(value).length > 3)
    return true
  if (/^[a-zA-Z_]\w*\[$/.test(value)) return true
  return /^\w*(?:pass|passwd|password|token|secret|api_key|apikey)\w*=/i.test(value)
}

/** What a program called passwd says, the file of nsswitch; one prompt after the other. */
function isMessage(value: string, name: string, tie: Tie): boolean {
  if (tie === 'quoted') return false
  if (name === 'passwd' && tie === 'colon' && /^[A-Za-z\x80-\xff]+$/.test(value)) return true
  if (
    /^passwd$/.test(name) &&
    /^(?:files|compat|systemd|sss|nis|ldap|winbind|db)\b|[a-z]{2} [a-z]{2}|[\x80-\xff]{6}/i.test(value)
  )
    return true
  return tie === 'colon' && /[\x80-\xff]{6}/.test(value) && (value.endsWith(':') || /[\x80-\xff]{6}$/.test(value))
}

/** `****`, `xxxx` (a single `x` may be a password), `~`, `…`, `<password>`, `[REDACTED]`, `PASSWORD`. */
function isStandIn(value: string): boolean {
  if (/^(?:[*.?#_~-]+|[xX]{2,}|(?:\xE2\x80[\xA2\xA6])+)$/.test(value)) return true
  if (/^(?:<[^<>]*>|\[[A-Za-z *_-]*\]|\([a-z *_-]*\)|%[a-zA-Z]|%\(\w+\)[a-z]|\\n|\\?["'])$/.test(value)) return true
  return /^(?:[A-Z]+_)*(?:PASSWORD|PASSWD|PASS|TOKEN|SECRET|KEY|STRING)$/.test(value)
}

/** `$PASSWORD`, `${x}`, `$(…)`, `{{ x }}`, `%X%`, `process.env.X`, `getPassword()`. */
function isReference(value: string, name: string): boolean {
  if (/^["']?\$(?:[A-Z_][A-Z0-9_]*["']?$|\{[^}]*\}|\{\{|\()/.test(value)) return true
  if (/^["']?(?:\{\{|\{%|%[A-Z_]+%|@@?\w+@@?$|!\w+ )/.test(value)) return true
  const variable = /^["']?\$\{?([A-Za-z_]\w*)/.exec(value)?.[1]
  if (
    variable !== undefined &&
    (variable.toLowerCase() === name.toLowerCase() || /pass|token|secret|key/i.test(variable))
  ) {
    return true
  }
  if (
    /^(?:[A-Za-z_][\w.]*\[["']|\[(?:Function|Object|Getter|FILTERED)|std::env::|var\.|\$\d$|@\/|prompt\()/.test(value)
  )
    return true
  return /^(?:process\.env|os\.(?:environ|getenv)|req\.|request\.|self\.|this\.|config\.|settings\.|args\.|opts?\.|options\.|ctx\.|env\.)/.test(
    value,
  )
}

/** A file's name says where the secret is, not what. */
function isPath(value: string): boolean {
  return /^["']?(?:file:\/\/)?\/(?:etc|run|var|usr|opt|home|root|tmp|srv|mnt|dev|proc|sys|app|data|config|secrets?|snap|boot|lib)(?:\/[\w.@+-]+)+\/?["',;)]*$/.test(
    value,
  )
}

/** A call, a comparison, a type. */
function isCode(value: string): boolean {
  return /^(?:=|&\w|[A-Za-z_][\w.]*\(|(?:new|await|function|async)\b)/.test(value)
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/))
}
