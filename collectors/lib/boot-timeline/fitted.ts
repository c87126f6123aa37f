/** A name in the room that there is. No I/O. */

/**
 * Of words as many as fit, each whole: half a secret is none that the mask knows. A single long word, the name of a unit, loses its
 * middle: such names differ at their beginning or at their end.
 */
export function fitted(name: string, most: number): string {
  if (name.length <= most) return name
  if (name.slice(0, most).trimEnd().includes(' ')) return `${name.slice(0, name.slice(0, most).lastIndexOf(' '))} …`
  if (name.includes(' ')) return '…'
  const head = Math.ceil((most - 1) * 0.6)
  return `${name.slice(0, head)}…${name.slice(name.length - (most - 1 - head))}`
}
