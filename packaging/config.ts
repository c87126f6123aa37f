/** The configuration as it is installed: every key, what it means, and nothing said. */
import { CONFIG_KEYS, metaOf } from '../src/config.ts'

export function commentedConfig(): string {
  const keys = CONFIG_KEYS.map((key) => {
    const { description, accepts, default: standard } = metaOf(key)
    return [...wrapped(description), ...wrapped(`Accepted: ${accepts}.`), `#${key}:   # ${standard}`].join('\n')
  })
  const head = [
    '# Configuration of diagd: /usr/share/doc/diagd/config.md. It needs none; `diagd check` says what is wrong with it.',
    '# A change takes a restart: systemctl restart diagd',
  ]
  return `${[head.join('\n'), ...keys].join('\n\n')}\n`
}

function wrapped(text: string): string[] {
  const lines = ['#']
  for (const word of text.split(' ')) {
    if (`${lines.at(-1)!} ${word}`.length > 110) lines.push('#')
    lines.push(`${lines.pop()!} ${word}`)
  }
  return lines
}
