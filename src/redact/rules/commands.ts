/** Secrets as arguments of well-known commands that have no name to go by; in shell, and as lists of JSON. */
import { matching } from '../find.ts'
import { blockAt, type Block } from '../pairs/block.ts'
import type { Rule } from '../rule.ts'

/** Between two arguments: white space, NUL, or `", "` of a list. */
const GAP = String.raw`(?:[ \t\0]+|\\{0,3}["'],\s*\\{0,3}["'])`
const ARGUMENTS = String.raw`(?:${GAP}[^\s"'\0|;]{1,200}){0,12}?`
const VALUE = String.raw`["']?(?!<masked:|REDACTED|["'$\-\\])(?<secret>[^\s"'\0]+)`

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
    `${BOUND}curl${ARGUMENTS}${GAP}(?:-u|--user|-U|--proxy-user)(?:${GAP}|=)?["']?[^\\s:"'\\0]{1,100}:${VALUE}`,
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
    `${BOUND}htpasswd${GAP}-[a-zA-Z]*b[a-zA-Z]*${GAP}(?:[^\\s"'\\0]+${GAP})?[^\\s"'\\0]+${GAP}${VALUE}(?![^\\s"'\\0]|${GAP}<masked:)`,
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
      `${BOUND}${name}[ \\t]+(?:-[neE]+[ \\t]+)?["']?(?!(?:[\\w.-]{1,64}:)?<masked:)(?:[\\w.-]{1,64}:(?!\\/\\/))?(?!["'<$])(?<secret>[^"'|\\n]{1,256}?)["']?[ \\t]*\\|[ \\t]*` +
        `(?:sudo[ \\t]+(?:-\\S+[ \\t]+)*)?(?:chpasswd|passwd[ \\t][^|\\n]{0,80}--stdin|sudo[ \\t]+-S|[^|\\n]{1,120}--password-stdin)`,
      (secret) => `${name} "root:${secret}" | chpasswd`,
    ),
  ),
  {
    id: 'chpasswd',
    title: 'user:password lines of chpasswd, in cloud-init and in here-documents',
    anchors: ['chpasswd'],
    rank: 1,
    find(view, at) {
      const head =
        /chpasswd(?<yaml>:[ \t]*\r?\n|(?:[ \t]+-[a-zA-Z-]+)*[ \t]*<<-?[ \t]*["']?\w+["']?[^\n]*\n)|chpasswd:[ \t]*\{/y
      head.lastIndex = at
      const match = head.exec(view.text)
      if (!match?.groups?.yaml) return undefined
      const line = view.text.lastIndexOf('\n', at - 1) + 1
      const column = match.groups.yaml.startsWith(':') ? at - line : -1
      return blockAt(view, head.lastIndex, { kind: 'password', column, lines: 'logins', rule: 'chpasswd' })
    },
    resume: (view, { at, state }) => blockAt(view, at, state as Block),
    canary: (random) => {
      const secrets = [random(10), random(10)]
      return {
        text: `chpasswd:\n  expire: false\n  list: |\n    root:${secrets[0]}\n    deploy:${secrets[1]}\nruncmd: []\n`,
        secrets,
      }
    },
  },
]
