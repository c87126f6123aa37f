/** What a bundle needs of where it goes. A bucket and a control plane are both that. */

export interface PartDone {
  readonly number: number
  readonly etag: string
}

/** All that was sent. */
export interface Whole {
  readonly sizeBytes: number
  /** Hexadecimal. */
  readonly sha256: string
  /** What is known of it at its end only. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Everything rejects with Failed. */
export interface Place {
  /** Where it goes, once that is known. */
  readonly key: string
  /** An upload in parts that is there from the start: somebody else began it, and all goes in parts. */
  readonly begun?: string
  /** Of part 1, 2…; undefined: no more of them. */
  partBytes(number: number): number | undefined
  /** Not in parts. The bytes are in memory until the target has them, here and in `part`. */
  put(bytes: Buffer, whole: Whole): Promise<void>
  /** @returns what an upload in parts is known by. */
  begin(): Promise<string>
  part(number: number, bytes: Buffer): Promise<PartDone>
  complete(parts: readonly PartDone[], whole: Whole): Promise<void>
  /** Of this upload, or of an earlier try; one that is not there any more is fine. */
  abort(multipartId: string, key: string): Promise<void>
  /** False with a note: it could not be asked. */
  verify(whole: Whole): Promise<{ readonly verified: boolean; readonly note?: string }>
  /** @returns what there is to say about it. */
  retain(): Promise<readonly string[]>
}
