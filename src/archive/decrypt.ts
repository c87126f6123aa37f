/** Encrypted bundles (the age format) read back, with the end of the stream examined. */
import type { Decoded } from './decode.ts'

const INTRODUCTION = 'age-encryption.org/v1\n'
const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----'

/** By its first bytes; as text for mails it is no less encrypted. */
export function isEncrypted(start: Buffer): boolean {
  return [INTRODUCTION, ARMOR].some((mark) => start.toString('latin1', 0, mark.length) === mark)
}

/**
 * Decrypts as it comes. What is yielded is as it was written; whether it is all of it, the end tells.
 * @throws Error when the identities do not open it.
 */
export async function* decrypt(input: AsyncIterable<Buffer>, identities: readonly string[]): Decoded {
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  let ended = false
  const counted = async function* () {
    yield* input
    ended = true
  }
  let opened = false
  try {
    const plain = await decrypter.decrypt(ReadableStream.from(counted()))
    opened = true
    for await (const chunk of plain) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    return {}
  } catch (error) {
    const { message } = error as Error
    if (message.startsWith('no identity matched')) throw new Error('no key given opens it', { cause: error })
    if (!opened) return { damaged: `the header of the encrypted stream cannot be read (${message})` }
    // What fails is the tag of a chunk: of the last one, when there is none behind it.
    if (ended) return { cut: 'the encrypted stream stops before its end, or is damaged there' }
    return { damaged: `the encrypted stream is not as it was written (${message})` }
  }
}
