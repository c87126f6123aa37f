/** Secrets on several lines, wherever the lines stand: behind the heads of a log, in a string, in a string within a string. */
import { describe, expect, it } from 'vitest'
import { maskAll, random } from './mask-all.ts'

/** A mask of any kind is `§` again: a text with `§` for its secrets stays as it is. */
function blanked(masked: string): string {
  return masked.replaceAll(/<masked:[a-z0-9-]+:[0-9a-f]{6}>/g, '§')
}

/** `§` is where a secret stands, `¶` where a line of base64. */
const TEXTS: Record<string, string> = {
  'a block scalar': 'a: 1\npassword: |\n  §\n  §\nnext: 1\n',
  'a block scalar, folded, deeper': 'db:\n  password: >-\n    §\n  user: a\n',
  'a block scalar with an empty line': 'password: |\n  §\n\n  §\nnext: 1\n',
  'a block scalar that begins with an empty line': 'password: |\n\n  §\nnext: 1\n',
  'a list': 'passwords:\n  - §\n  - "§"\nnext: 1\n',
  'a list that is not indented': "tokens:\n- §\n- '§'\nnext: 1\n",
  'a scalar on the next line': 'db:\n  password:\n    §\n  user: a\n',
  'a scalar in quotes on the next line': 'password:\n  "§"\nuser: a\n',
  'an object below': 'secret:\n  type: plain\n  value: §\nnext: 1\n',
  'flags of JSON': '[\n  "run",\n  "--password",\n  "§",\n  "-v"\n]\n',
  'a list of JSON': '{\n  "a": 1,\n  "passwords": [\n    "§",\n    12,\n    "§"\n  ],\n  "b": 2\n}\n',
  'an object of JSON': '{\n  "secret": {\n    "type": "a",\n    "value": "§"\n  },\n  "b": 2\n}\n',
  'chpasswd of cloud-init': 'chpasswd:\n  expire: false\n  list: |\n    root:§\n    jo:§\n    ann:RANDOM\nruncmd: []\n',
  'chpasswd of a list': 'chpasswd:\n  list:\n    - root:§\n    - jo:§\nruncmd: []\n',
  'a here-document': 'chpasswd <<EOF\nroot:§\njo:§\nEOF\nat: 12:30:25\nb:c\n',
  'what is piped': 'echo hello\necho "root:§" | chpasswd\nprintf \'jo:§\' | chpasswd\necho | cat\n',
  'a part of MIME': 'Content-Transfer-Encoding: base64\nContent-Type: text/x\n\n¶\n¶\n\n--==1==--\nword\n',
  'a file of cloud-init': 'write_files:\n- encoding: b64\n  content: |\n    ¶\n    ¶\n  path: /x\n',
  'binary of YAML': 'a: !!binary |\n  ¶\n  ¶\nword\n',
  'a PIN': '[gsm]\napn=a\npin=§\nnumber=1\n',
  arguments:
    'sshpass -p "§" ssh a\ncurl -u "bot:§" https://example.org/\nmysql -uroot -p§\nhtpasswd -b /x admin §\nnext\n',
}

/** Where it stands. */
const PLACES: Record<string, (text: string) => string> = {
  'as it is': (text) => text,
  'with carriage returns': (text) => text.replaceAll('\n', '\r\n'),
  'in a log of a container': (text) => headed(text, (n) => `2026-11-21T09:34:${10 + n}.123456789Z stdout F `),
  'in a journal': (text) => headed(text, (n) => `Nov 21 15:36:${10 + n} vm-1 app[12]: `),
  'in a syslog': (text) => headed(text, (n) => `2026-11-21T09:34:09.${123_456 + n}+00:00 vm app[12]: `),
  'in a syslog of RFC 5424': (text) => headed(text, (n) => `<34>1 2026-11-21T09:34:${10 + n}.003Z vm app 12 ID${n} - `),
  'in the log of a compose': (text) => headed(text, () => 'web-1  | '),
  'in a string': (text) => `{"id":12,"log":${JSON.stringify(text)},"stream":"stdout"}\n`,
  'in a string, with carriage returns': (text) => `{"log":${JSON.stringify(text.replaceAll('\n', '\r\n'))}}\n`,
  'in a string within a string': (text) => `${JSON.stringify({ log: JSON.stringify({ msg: text, n: 1 }), n: 2 })}\n`,
  'in a string, in a log': (text) => `Nov 21 15:36:25 vm app[12]: {"log":${JSON.stringify(text)},"n":1}\n`,
  'behind heads, in a string': (text) =>
    `${JSON.stringify({ log: headed(text, (n) => `Nov 21 15:36:${n} vm app[12]: `) })}\n`,
}

function headed(text: string, head: (line: number) => string): string {
  const lines = text.trimEnd().split('\n')
  // Of an empty line nothing but the head is left.
  return `${lines.map((line, n) => `${head(n)}${line}`.trimEnd()).join('\n')}\n`
}

it('in a comment', () => {
  const text = '# password: |\n#   §\n#   §\n# next: 1\n'
  expect(blanked(maskAll(text.replaceAll('§', 'k7Wq9zLp2XvR')))).toBe(text)
})

describe.each(Object.entries(PLACES))('%s', (_, place) => {
  it.each(Object.entries(TEXTS))('%s', (__, text) => {
    const before = `{"before": 1}\nBefore it\n${place(text)}After it\n`
    const secrets = () => before.replaceAll('§', () => `k7Wq${random(12)}`).replaceAll('¶', () => random(64))
    const planted = secrets()
    const whole = maskAll(planted)
    expect(blanked(whole)).toBe(before.replaceAll('¶', '§'))
    expect(maskAll(whole)).toBe(whole)
    for (let first = 1; first < planted.length; first += 5) expect(maskAll(planted, { first })).toBe(whole)
    for (const block of [50, 333]) expect(maskAll(planted, { block })).toBe(whole)
  })
})

describe('longer than what can be looked ahead at', () => {
  const secret = random(40_000)
  const lines = Array.from({ length: 600 }, () => random(64))
  const all = Object.entries(PLACES).flatMap(([place, wrap]) => [
    { place, what: 'one line', text: wrap(`password: |\n  ${secret}\nnext: 1\n`) },
    { place, what: 'lines', text: wrap(`password: |\n  ${lines.join('\n  ')}\nnext: 1\n`) },
    { place, what: 'a list', text: wrap(`passwords:\n- ${lines.join('\n- ')}\nnext: 1\n`) },
    { place, what: 'a list of JSON', text: wrap(`{\n "passwords": [\n  "${lines.join('",\n  "')}"\n ]\n}\n`) },
    { place, what: 'logins', text: wrap(`chpasswd:\n  list: |\n    a:${lines.join('\n    a:')}\nnext: 1\n`) },
    { place, what: 'MIME', text: wrap(`Content-Transfer-Encoding: base64\n\n${lines.join('\n')}\n\nnext\n`) },
  ])
  it.each(all)('$what, $place', ({ text }) => {
    const secrets = [secret, ...lines].filter((one) => text.includes(one))
    const shape = secrets.reduce((left, one) => left.replace(one, '§'), text)
    for (const block of [4096, 100_000]) {
      const masked = blanked(maskAll(text, { block, first: 3000 })).replaceAll(/§+/g, '§')
      expect(masked === shape, masked.slice(0, 300)).toBe(true)
    }
  })
})
