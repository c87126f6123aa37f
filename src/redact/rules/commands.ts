/** Secrets as arguments of well-known commands that have no name to go by; in shell, and as lists of JSON. */
import { matching } from '../find.ts'
import type { Rule } from '../rule.ts'
import { chpasswd } from './chpasswd.ts'

/** A quotation mark, as it is or in a string, or in a string within it. */
const QUOTE = String.raw`\\{0,15}["']`
/** Between two arguments: white space, NUL, or `", "` of a list. */
const GAP = String.raw`(?:[ \t\0]{1,64}|${QUOTE},(?:\s|\\{1,8}[nrt]){0,64}${QUOTE})`
/** A backslash before a quotation mark, or that writes a line break out, is none of an argument's. */
const BACKSLASH = String.raw`\\(?!\\{0,15}["'nrt])`
const LETTER = String.raw`(?:[^\s"'\0\\]|${BACKSLASH})`
const ARGUMENTS = String.raw`(?:${GAP}(?:[^\s"'\0|;\\]|${BACKSLASH}){1,200}){0,12}?`
/** Of variables `$NAME` stays; a hash begins with its kind: `$6$`. */
const VARIABLE = String.raw`\\{0,15}\$(?![0-9a-z]{1,8}\\{0,15}\$)`
const VALUE = String.raw`(?:${QUOTE})?(?!<masked:|REDACTED|${VARIABLE}|\\{0,15}["'\-]|\\{1,15}\s)(?<secret>${LETTER}+)`

function command(
  id: string,
  title: string,
  anchor: string,
  pattern: string,
  example: (secret: string) => string,
): Rule {
  return {
    id,
    title,
    anchors: [anchor],
    rank: 1,
    ...matching(id, new RegExp(pattern)),
    canary: (random) => {
      const secret = random(12)
      return { text: example(secret), secrets: [secret] }
    },
  }
}

/** What is piped: not beyond a quotation mark or a line break, written out or not. */
const PIPED = String.raw`(?:[^"'|\n\\]|${BACKSLASH})`

/** No word goes on here; a line break of JSON is none. */
const BOUND = String.raw`(?:(?<![\w-])|(?<=\\[nrt]))`

export const COMMAND_RULES: readonly Rule[] = [
  ...['mysql', 'mariadb'].map((name) =>
    command(
      `${name}-password`,
      `-pPASSWORD of ${name} and its tools`,
      name,
      `${BOUND}${name}(?:dump|admin|check|import|show|-dump|-admin)?${ARGUMENTS}${GAP}-p(?!ort|rotocol|lugin|ager|rint|ipe|ersist)${VALUE}`,
      (secret) => `1234 ${name} -uroot -p${secret} -h db app`,
    ),
  ),
  command(
    'curl-user',
    'user:password of curl -u',
    'curl',
    `${BOUND}curl${ARGUMENTS}${GAP}(?:-u|--user|-U|--proxy-user)(?:${GAP}|=)?(?:${QUOTE})?[^\\s:"'\\0\\\\]{1,100}:${VALUE}`,
    (secret) => `+ curl -fsS -u deploy:${secret} https://example.org/`,
  ),
  command(
    'sshpass',
    'password of sshpass -p',
    'sshpass',
    `${BOUND}sshpass${GAP}-p${GAP}?${VALUE}`,
    (secret) => `sshpass -p ${secret} ssh root@192.0.2.1`,
  ),
  // Their names stand in every line of some logs; the word behind them does not.
  command(
    'registry-login',
    'password of docker, podman and helm login -p',
    'login',
    `(?<=${BOUND}(?:docker|podman|helm|registry)${GAP})login${ARGUMENTS}${GAP}-p${GAP}?${VALUE}`,
    (secret) => `docker login -u bot -p ${secret} registry.example.org`,
  ),
  command(
    'redis-auth',
    'password of redis-cli -a',
    'redis-cli',
    `${BOUND}redis-cli${ARGUMENTS}${GAP}-a${GAP}?${VALUE}`,
    (secret) => `redis-cli -h cache -a ${secret} ping`,
  ),
  command(
    'openssl-pass',
    'pass:PASSWORD of openssl',
    'pass:',
    `(?<=-pass(?:in|out)?${GAP})pass:${VALUE}`,
    (secret) => `openssl rsa -in k.pem -passin pass:${secret} -out o.pem`,
  ),
  command(
    'htpasswd-password',
    'password of htpasswd -b',
    'htpasswd',
    `${BOUND}htpasswd${GAP}-[a-zA-Z]*b[a-zA-Z]*${GAP}(?:${LETTER}+${GAP})?${LETTER}+${GAP}${VALUE}(?!${LETTER}|${GAP}<masked:)`,
    (secret) => `htpasswd -cb /etc/nginx/users admin ${secret}`,
  ),
  ...['useradd', 'usermod'].map((name) =>
    command(
      `${name}-password`,
      `hash of ${name} -p`,
      name,
      `${BOUND}${name}${ARGUMENTS}${GAP}(?:-p|--password)(?:${GAP}|=)${VALUE}`,
      (secret) => `${name} -m -p ${secret} deploy`,
    ),
  ),
  ...['echo', 'printf'].map((name) =>
    command(
      `${name}-password`,
      `what ${name} pipes into a command that reads a password`,
      name,
      `${BOUND}${name}[ \\t]{1,64}(?:-[neE]+[ \\t]{1,64})?(?:${QUOTE})?(?!(?:[\\w.-]{1,64}:)?<masked:)(?:[\\w.-]{1,64}:(?!\\/\\/))?(?!["'<$])(?<secret>${PIPED}{1,256}?)(?:${QUOTE})?[ \\t]{0,64}\\|[ \\t]{0,64}` +
        `(?:sudo[ \\t]{1,64}(?:-\\S{1,64}[ \\t]{1,64}){0,8})?(?:chpasswd|passwd[ \\t][^|\\n]{0,80}--stdin|sudo[ \\t]{1,64}-S|[^|\\n]{1,120}--password-stdin)`,
      (secret) => `${name} "root:${secret}" | chpasswd`,
    ),
  ),
  chpasswd,
]
