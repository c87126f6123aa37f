/** `--recipients-file FILE`: as age's own `-R`: one recipient a line, `#` begins a comment line. */
import { readFile } from 'node:fs/promises'
import { UsageError } from '../collect/request.ts'
import { parseRecipients, RECIPIENTS_GRAMMAR } from '../config/recipients.ts'

/** @throws UsageError that names the line; also when there is no recipient: a bundle in plain is not what was wished. */
export async function recipientsIn(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: Error) => refuse(`cannot be read: ${error.message}`))
  const recipients = text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return []
    try {
      return parseRecipients([line])
    } catch (error) {
      return refuse(`line ${index + 1} of ${path}: ${(error as Error).message}; accepted: ${RECIPIENTS_GRAMMAR}`)
    }
  })
  return recipients.length > 0 ? recipients : refuse(`${path} names nobody; accepted: ${RECIPIENTS_GRAMMAR}`)
}

function refuse(message: string): never {
  throw new UsageError('recipients-file', message)
}
