/** What is handed over of a file: ranges of it, and lines of ours where something is left out. */

export type Piece = Range | { readonly note: Buffer }

/** Bytes of the file, `to` exclusive. Positions are numbers: exact up to 8 PiB. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** A line of ours inside a file. */
export function note(text: string): { note: Buffer } {
  return { note: Buffer.from(`… diagd: ${text} …\n`) }
}

/** The line that stands where the middle is left out; it begins a new line, whatever was cut before it. */
export function holeNote(cutBytes: number, why: string): { note: Buffer } {
  return { note: Buffer.from(`\n… diagd: ${cutBytes} bytes left out here (${why}) …\n`) }
}

export function overLimit(entryBytes: number): string {
  return `over the limit of ${entryBytes} bytes per entry`
}

export function lengthOf(piece: Piece): number {
  return 'note' in piece ? piece.note.length : piece.to - piece.from
}

export function totalLength(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + lengthOf(piece), 0)
}

/** Without our notes. */
export function fileBytes(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + ('note' in piece ? 0 : lengthOf(piece)), 0)
}
