/** Numbers out of the kernel's texts. */

/** The number behind `key` where a line begins with it: `MemFree:`, `pswpin`; undefined when none does. */
export function numberAfter(text: string, key: string): number | undefined {
  const start = text.startsWith(`${key} `) || text.startsWith(`${key}:`) ? 0 : lineWith(text, key)
  if (start === undefined) return undefined
  const number = Number.parseFloat(text.slice(start + key.length + 1, start + key.length + 40))
  return Number.isNaN(number) ? undefined : number
}

function lineWith(text: string, key: string): number | undefined {
  for (let at = text.indexOf(`\n${key}`); at !== -1; at = text.indexOf(`\n${key}`, at + 1)) {
    const next = text[at + 1 + key.length]
    if (next === ' ' || next === ':' || next === '\t') return at + 1
  }
  return undefined
}

/** A text that is one number; undefined for none and for what is none, as `max`. */
export function numberIn(text: string | undefined): number | undefined {
  const number = Number.parseFloat(text ?? '')
  return Number.isNaN(number) ? undefined : number
}

/** `number` times `factor`, where there is a number. */
export function times(number: number | undefined, factor: number): number | undefined {
  return number === undefined ? undefined : number * factor
}

/** Of names in one line and numbers in the next, both behind the same word: /proc/net/snmp. */
export function column(text: string, word: string, names: readonly string[]): Record<string, number | undefined> {
  const [titles, numbers] = text.split('\n').filter((line) => line.startsWith(`${word}: `))
  const places = titles?.split(' ') ?? []
  const values = numbers?.split(' ') ?? []
  return Object.fromEntries(names.map((name) => [name, numberIn(values[places.indexOf(name)])]))
}
