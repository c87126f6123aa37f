/** Secrets of every kind, made up for one run, and where each of them was planted. */
import { RULES } from '../../../src/redact/rules.ts'
import { random } from '../../redact/mask-all.ts'

export interface Planted {
  /** One text of every kind of secret, but for these. */
  texts(where: string, without?: readonly string[]): string[]
  /** Those that are one line and fit there. */
  lines(where: string, fit?: RegExp): string[]
  /** A secret without form, for a place that has a name for it. */
  single(where: string): string
  /** Each secret that shows in any of these texts: where it was planted, its kind, and the name of the first that has it. */
  shownIn(texts: Iterable<readonly [name: string, text: string]>): Shown[]
  /** `place: kind` of all. */
  places(): string[]
  readonly size: number
}

interface Shown {
  readonly planted: string
  readonly in: string
}

export function plantSecrets(): Planted {
  const planted = new Map<string, string>()
  const made = (where: string, without: readonly string[] = []) =>
    RULES.filter(({ id }) => !without.includes(id)).map(({ id, canary }) => {
      const { text, secrets } = canary(random)
      return { text, secrets, where: `${where}: ${id}` }
    })
  const keep = (canaries: ReturnType<typeof made>) =>
    canaries.map(({ text, secrets, where }) => {
      for (const secret of secrets) planted.set(secret, where)
      return text
    })
  return {
    texts: (where, without) => keep(made(where, without)),
    lines: (where, fit = /./) =>
      keep(made(where).filter(({ text }) => !text.trim().includes('\n') && fit.test(text.trim()))).map((text) =>
        text.trim(),
      ),
    single: (where) => {
      const secret = `k7${random(18)}`
      planted.set(secret, where)
      return secret
    },
    shownIn: (texts) => {
      const all = [...texts]
      return [...planted].flatMap(([secret, planted]) => {
        const found = all.find(([, text]) => shows(text, secret))
        return found ? [{ planted, in: found[0] }] : []
      })
    },
    places: () => [...new Set(planted.values())],
    get size() {
      return planted.size
    },
  }
}

/** As it is, or as JSON writes it. */
const shows = (text: string, secret: string) =>
  text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1))

/** Texts as a file of them. */
export const asFile = (texts: readonly string[]) => `${texts.join('\n\n\n')}\n`

/** As one word of the shell. */
export const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
