/** The mask over a log that comes in pieces: each goes on where the one before ended, so that a key of many lines is masked in all of them. */
import { createConfigured } from '../../../redact/configured.ts'
import type { Carry, Redactor } from '../../../redact/redactor.ts'
import { moved } from '../../../redact/stream.ts'
import type { MaskSettings } from './protocol.ts'

/** What rules may look back at. */
const BEHIND_BYTES = 1024
const NOTHING: Carry = { sentTo: 0, pending: [] }

/** Made when the first text is to be masked: tables of all rules take their time. */
export class Masker {
  readonly #settings: MaskSettings
  #redactor: Redactor | undefined

  constructor(settings: MaskSettings) {
    this.#settings = settings
  }

  get rules(): string {
    return this.#settings.rules
  }

  get values(): number {
    return this.#settings.values
  }

  /** @throws Error when the rules are not known. */
  get redactor(): Redactor {
    const { options } = this.#settings
    if (!options) throw new Error('the configuration of the mask cannot be understood')
    return (this.#redactor ??= createConfigured(options))
  }

  /** A document. @throws Error when a rule fails. */
  whole(text: Buffer): Buffer {
    const { bytes } = this.redactor({ bytes: text, from: 0, to: text.length, final: true, carry: NOTHING })
    return asBuffer(bytes)
  }
}

/** Of one log. */
export class MaskedLog {
  #behind = Buffer.alloc(0)
  #carry = NOTHING

  /** Whole lines. What comes back is good until the next call. @throws Error when a rule fails; then it begins anew. */
  mask(masker: Masker, lines: Buffer): Buffer {
    const behind = this.#behind
    const bytes = behind.length > 0 ? Buffer.concat([behind, lines]) : lines
    const carry = this.#carry
    this.forget()
    const masked = masker.redactor({ bytes, from: behind.length, to: bytes.length, final: false, carry })
    const dropped = Math.max(0, bytes.length - BEHIND_BYTES)
    // A copy: the bytes are used again.
    this.#behind = Buffer.from(bytes.subarray(dropped))
    this.#carry = moved(masked.carry, dropped)
    return asBuffer(masked.bytes)
  }

  forget(): void {
    this.#behind = Buffer.alloc(0)
    this.#carry = NOTHING
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
