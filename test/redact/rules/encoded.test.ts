/** What says that it is base64. */
import { random } from '../mask-all.ts'
import { table } from './table.ts'

const E = '<masked:encoded:#>'
const M = '<masked:mime-part:#>'
const line = random(76)
const last = `${random(22)}==`

table('cloud-init and YAML', {
  masked: [
    [`- encoding: b64\n  content: ${last}\n  path: /x\n`, `- encoding: b64\n  content: ${E}\n  path: /x\n`],
    [`- content: ${last}\n  path: /x\n  encoding: gz+b64\n`, `- content: ${E}\n  path: /x\n  encoding: gz+b64\n`],
    [`{"content": "${last}", "encoding": "base64"}`, `{"content": "${E}", "encoding": "base64"}`],
    [
      `- encoding: gzip+base64\n  content: !!binary |\n    ${line}\n    ${last}\n  path: /x\n`,
      `- encoding: gzip+base64\n  content: !!binary |\n    ${E}\n    ${E}\n  path: /x\n`,
    ],
    [
      `- content: |\n    ${line}\n    ${last}\n  encoding: b64\n`,
      `- content: |\n    ${E}\n    ${E}\n  encoding: b64\n`,
    ],
    [`a: !!binary "${last}"\nb: 1`, `a: !!binary "${E}"\nb: 1`],
  ],
  untouched: [
    '- path: /etc/motd\n  content: Welcome\n- path: /x\n  encoding: b64\n',
    `- content: plainwordsonly\n  path: /x\n  encoding: text/plain\n`,
    'content: 12345678 and no encoding; "content": "nothing", "encoding": "utf-8"',
    'content-type: text/plain; !!binary is a tag of YAML',
  ],
})

table('MIME', {
  masked: [
    // The journal drops empty lines.
    [
      `vm app[7]: Content-Transfer-Encoding: base64\nvm app[7]: Content-Type: text/x\nvm app[7]: ${line}\nvm app[7]: ${last}\nvm app[7]: --==1==--\n`,
      `vm app[7]: Content-Transfer-Encoding: base64\nvm app[7]: Content-Type: text/x\nvm app[7]: ${M}\nvm app[7]: ${M}\nvm app[7]: --==1==--\n`,
    ],
    [
      `MIME-Version: 1.0\nContent-Transfer-Encoding: base64\nContent-Type: text/x\n\n${line}\n${last}\n\n--==1==--\nword\n`,
      `MIME-Version: 1.0\nContent-Transfer-Encoding: base64\nContent-Type: text/x\n\n${M}\n${M}\n\n--==1==--\nword\n`,
    ],
    [
      `Content-Transfer-Encoding: base64\r\n\r\n${line}\r\n${last}\r\n--b`,
      `Content-Transfer-Encoding: base64\r\n\r\n${M}\r\n${M}\r\n--b`,
    ],
    [
      String.raw`"Content-Transfer-Encoding: base64\n\n${line}\n${last}\n--b"`,
      String.raw`"Content-Transfer-Encoding: base64\n\n${M}\n${M}\n--b"`,
    ],
  ],
  untouched: [
    'Content-Transfer-Encoding: 7bit\n\nabcdefghijklmnop\n',
    'Content-Transfer-Encoding: quoted-printable\n\nabcdefghijklmnop\n',
    'Content-Transfer-Encoding: base64\n\n--==1==--\nword\n',
  ],
})
