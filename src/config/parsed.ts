/** Schemas from plain functions that throw what is wrong with their argument. */
import { parse } from 'yaml'
import { z } from 'zod'

/** What the function gives; what it throws becomes the message. */
export function parsed<T>(read: (value: unknown) => T) {
  return z.unknown().transform((value, context): T => {
    try {
      return read(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
}

/** A list in YAML; comma-separated in the environment. 64 is more than anybody means. */
export function listOf(item: RegExp, what: string, clean: (text: string) => string = (text) => text) {
  return parsed((value): string[] => {
    const list: unknown = typeof value === 'string' ? value.split(',').filter((text) => text.trim() !== '') : value
    if (!Array.isArray(list)) throw new Error('is not a list')
    if (list.length > 64) throw new Error('has more than 64 items')
    return list.map((one: unknown) => {
      const text = typeof one === 'string' ? clean(one.trim()) : ''
      if (!item.test(text)) throw new Error(`contains ${JSON.stringify(one)}, which is not ${what}`)
      return text
    })
  })
}

/**
 * A mapping in YAML; the same as flow text (`{certificate: /a, key: /b}`, or JSON) in the environment.
 * @throws Error that names each key that is wrong, missing or unknown.
 */
export function mappingOf<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const mapping: unknown = typeof value === 'string' ? flow(value) : value
  if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping)) throw new Error('is not a mapping')
  const result = schema.safeParse(mapping)
  if (result.success) return result.data
  const parts = result.error.issues.map(({ path, message }) => [...path, message].join(' '))
  throw new Error(`has a wrong part: ${parts.join('; ')}`)
}

function flow(text: string): unknown {
  try {
    return parse(text, { uniqueKeys: true })
  } catch (error) {
    throw new Error(`is not YAML: ${(error as Error).message.split('\n')[0]}`, { cause: error })
  }
}
