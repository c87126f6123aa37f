/**
 * Where the segments of a spliced file end, written before it: manifest.json has their digests, and comes last, so whoever reads the archive once could not
 * tell them apart. It stands in the comment of the file's pax header, which every tar passes over.
 */

const MARK = 'diagd segments'

export function bordersComment(segments: readonly { readonly sizeBytes: number }[]): string {
  return [MARK, ...segments.map(({ sizeBytes }) => sizeBytes)].join(' ')
}

/** The lengths of the segments; undefined when the comment tells none. */
export function bordersIn(comment: string | undefined): number[] | undefined {
  const [, numbers] = /^diagd segments((?: \d{1,15})+)$/.exec(comment ?? '') ?? []
  return numbers?.slice(1).split(' ').map(Number)
}
