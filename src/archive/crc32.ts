/**
 * CRC-32 of a concatenation, from the CRCs of its pieces: segments are compressed and summed on their own,
 * in any order, and the gzip trailer still gets the CRC of the whole.
 *
 * Source: zlib 1.2.12+ `crc32_combine`: appending n bytes multiplies the CRC by x^(8n) modulo the CRC-32 polynomial.
 */

/** CRC-32 of A‖B. `lengthB` in bytes, up to 2^53. */
export function combineCrc32(crcA: number, crcB: number, lengthB: number): number {
  return (multiply(powerOfX(lengthB), crcA) ^ crcB) >>> 0
}

/** Reflected CRC-32 polynomial (RFC 1952, section 8). */
const POLYNOMIAL = 0xedb88320

/** SQUARES[k] = x^(2^k) mod P, bit-reflected: x^1 is bit 30. The sequence repeats after 32 squarings. */
const SQUARES: readonly number[] = squares()

/** x^(8·bytes) mod P. */
function powerOfX(bytes: number): number {
  let power = 0x80000000
  // 8·bytes = bytes·2^3: start at the third square.
  for (let rest = bytes, k = 3; rest > 0; rest = Math.floor(rest / 2), k++) {
    if (rest % 2 === 1) power = multiply(SQUARES[k % 32]!, power)
  }
  return power
}

/** a·b mod P over GF(2), both bit-reflected. */
function multiply(a: number, b: number): number {
  let product = 0
  for (let mask = 0x80000000, factor = b; mask !== 0; mask >>>= 1) {
    if ((a & mask) !== 0) product ^= factor
    factor = (factor & 1) === 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1
  }
  return product >>> 0
}

function squares(): number[] {
  const table = [0x40000000]
  while (table.length < 32) table.push(multiply(table.at(-1)!, table.at(-1)!))
  return table
}
