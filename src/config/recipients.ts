/** The one grammar of recipients: the `--recipient` option, the `recipient` parameter and the `recipients` key. */

/** `unknown`: there were to be some, and they cannot be understood. Nothing leaves then. */
export type Recipients = readonly string[] | 'unknown'

/** What a message says is accepted. */
export const RECIPIENTS_GRAMMAR = 'public keys of age, as age-keygen prints them (age1… of 62 characters), at most 16'

/** Each costs a key agreement and a line in the header. */
const MAX_RECIPIENTS = 16

/**
 * Reads recipients, each once.
 * @throws Error whose message says what is wrong, and never shows a secret key.
 */
export function parseRecipients(list: readonly unknown[]): string[] {
  const recipients = new Set(list.map(parseRecipient))
  if (recipients.size > MAX_RECIPIENTS) throw new Error(`${recipients.size} are more than ${MAX_RECIPIENTS}`)
  return [...recipients]
}

/** The key of the configuration: a list, or text separated by commas. */
export function parseRecipientsKey(value: unknown): string[] {
  const list: unknown = typeof value === 'string' && value !== 'none' ? value.split(',') : value
  if (list === 'none') return []
  if (!Array.isArray(list)) throw new Error('is not a list')
  try {
    return parseRecipients(list)
  } catch (error) {
    throw new Error(`is refused: ${(error as Error).message}`, { cause: error })
  }
}

/** X25519 (the age format, C2SP: bech32 of 32 bytes). */
const RECIPIENT = /^age1([qpzry9x8gf2tvdw0s3jn54khce6mua7l]{58})$/

function parseRecipient(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : ''
  if (/secret|private/i.test(text)) throw new Error('this is a secret key, which stays where bundles are opened')
  const shown = JSON.stringify(text.length > 16 ? `${text.slice(0, 16)}…` : text)
  if (text.startsWith('ssh-')) throw new Error(`${shown} is a key of ssh, which is not taken`)
  const data = RECIPIENT.exec(text)?.[1]
  if (data === undefined) throw new Error(`${shown} is not a recipient`)
  if (!isChecked(data)) throw new Error(`${shown} is mistyped: its checksum does not match`)
  return text
}

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
/** The human-readable part "age", expanded as BIP 173 says. */
const PREFIX = [3, 3, 3, 0, 1, 7, 5]
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/** The checksum of bech32 (BIP 173); the bits that fill up the last of 52 characters are zero. */
function isChecked(data: string): boolean {
  const values = Array.from(data, (character) => ALPHABET.indexOf(character))
  let sum = 1
  for (const value of [...PREFIX, ...values]) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, generator] of GENERATORS.entries()) if ((top >>> bit) & 1) sum ^= generator
  }
  return sum === 1 && (values[51]! & 0b1111) === 0
}
