/** `--identity FILE`: as age-keygen writes it. Messages never show what is in it. */
import { readFile } from 'node:fs/promises'
import { UsageError } from '../collect/request.ts'

const IDENTITY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/

/** @throws UsageError */
export async function identitiesIn(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: Error) => refuse(`cannot be read: ${error.message}`))
  const lines = text.split('\n').map((line) => line.trim())
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'))
  if (identities.length === 0 || !identities.every((line) => IDENTITY.test(line)))
    return refuse(
      `${path} holds something else; accepted: a file of age-keygen (lines AGE-SECRET-KEY-1…). ` +
        'For any other key: age -d -i KEY FILE | diagd verify -',
    )
  return identities
}

function refuse(message: string): never {
  throw new UsageError('identity', message)
}
