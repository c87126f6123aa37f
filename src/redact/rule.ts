/**
 * The contract of a rule of the mask: types only.
 *
 * A rule is data: literals (anchors) one of which stands at, or before, every secret of its kind, and a function that looks
 * at one occurrence of an anchor and says which bytes are secret. All anchors of all rules are looked for at once; the
 * function runs only where one was found.
 */

/** A stretch of the input, one character per byte (latin1), and how much of it is known. */
export interface View {
  readonly text: string
  /** Length of what is known; a find may look no further. */
  readonly end: number
  /** Nothing comes after `end`. */
  readonly final: boolean
}

/** Bytes to be replaced, as offsets into the view. */
export interface Span {
  readonly start: number
  readonly end: number
  /** The quotation mark that JSON needs around the mask, with its backslashes: what stood there was a number. */
  readonly quoted?: string
  /** The kind that the mask names, where it is not the rule's id. */
  readonly kind?: string
}

/** What a rule still has to know when the bytes at hand are used up: a secret, or a block of them, goes on. */
export interface Pending {
  readonly rule: string
  /** Where it goes on, as an offset into the view. */
  readonly at: number
  /** The rule's own words; goes through a structured clone. */
  readonly state: unknown
}

export interface Finding {
  readonly spans: readonly Span[]
  readonly pending?: Pending
}

/** What is planted to see a rule at work: a text as it occurs in the wild and the part of it that must not get out. */
export interface Canary {
  readonly text: string
  /** Each has to be gone from the masked text. */
  readonly secrets: readonly string[]
}

/** Fresh letters and digits: `random(20)`; or of an alphabet: `random(32, 'hex')`. */
export type Random = (length: number, alphabet?: 'alphanumeric' | 'hex' | 'upper' | 'lower' | 'base64') => string

export interface Rule {
  /** The kind that the mask names: `<masked:github-token:3f9c1a>`. */
  readonly id: string
  /** For people: what it masks. */
  readonly title: string
  /** ASCII, at least 3 characters, in lower case; compared without regard to case. */
  readonly anchors: readonly string[]
  /** So far before its anchor a span may begin: at most 1024 bytes without `endsBehind`, with it less than a stretch can look ahead; 0 when left out. */
  readonly behindBytes?: number
  /**
   * Places at or behind `to` for `find` to look at, whose secrets may begin before `to` and further than 1024 bytes before their anchors; asked at
   * every border of a stretch, so that nothing more has to be scanned there.
   */
  readonly endsBehind?: (bytes: Buffer, to: number) => readonly number[]
  /** Looks at the anchor found at `at`. No span may begin before `at - behindBytes`: what stands there may be sent already. */
  readonly find: (view: View, at: number) => Finding | undefined
  /** Goes on where a pending finding broke off. */
  readonly resume?: (view: View, pending: Pending) => Finding
  /** Where two rules claim the same bytes, the one that knows more names them: a vendor's token (2), a live value (1), a pair (0). */
  readonly rank: 0 | 1 | 2
  readonly canary: (random: Random) => Canary
}
