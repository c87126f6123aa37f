/** How large the parts of a multipart upload are made, so that 10 000 of them are enough. */

const MIB = 1024 * 1024

/** Of S3, and of all that speak it. */
const MOST_PARTS = 10_000
/** S3 takes no less than 5 MiB but for the last. Larger ones cost memory: a part is held until the target has it. */
export const PART_BYTES = 8 * MIB
/** A part is in memory as a whole. 10 000 of these are 625 GiB: more than a machine has of evidence. */
const MOST_PART_BYTES = 64 * MIB
/** Where nobody knows how much comes, and all parts have to be equal: 313 GiB. */
const EQUAL_BLINDLY_BYTES = 32 * MIB
/** Parts after which the next ones are twice as large: 359 GiB in all. */
const GROWS_AFTER_PARTS = 2000

export interface PartSizes {
  /** Of part 1, 2…; undefined: there can be none. */
  bytesOf(number: number): number | undefined
}

/** `mostBytes`: more than this does not come; undefined: nobody knows. `equal`: the provider wants all parts but the last of one size. */
export function createPartSizes(mostBytes: number | undefined, equal: boolean, leastBytes = PART_BYTES): PartSizes {
  const needed = mostBytes === undefined ? leastBytes : roundedUp(mostBytes / MOST_PARTS)
  const first = Math.min(MOST_PART_BYTES, Math.max(leastBytes, needed))
  const grows = mostBytes === undefined && !equal
  const base = mostBytes === undefined && equal ? Math.max(first, EQUAL_BLINDLY_BYTES) : first
  return {
    bytesOf(number) {
      if (number > MOST_PARTS) return undefined
      const doubled = grows ? Math.floor((number - 1) / GROWS_AFTER_PARTS) : 0
      return Math.min(MOST_PART_BYTES, base * 2 ** doubled)
    },
  }
}

function roundedUp(bytes: number): number {
  return Math.ceil(bytes / MIB) * MIB
}
