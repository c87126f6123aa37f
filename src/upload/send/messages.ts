/** What diagd and the child that uploads say to each other, as JSON. The bundle itself goes through a pipe. */
import type { Credentials } from '../target/credentials.ts'
import type { Limits } from '../target/line.ts'
import type { SendJob, Sent, Stale, UploadFailure } from '../upload.ts'

/** Where the child reads the bundle. Not its standard input: to import `node:process`, as the SDK does, takes hold of that. */
export const BUNDLE_FD = 4

export type ToWorker =
  | { readonly kind: 'start'; readonly start: Start }
  /** The id of the upload in parts is in the outbox, or why not. */
  | { readonly kind: 'kept'; readonly error?: string | undefined }
  /** The stream is over, and this long. Without it, its end means nothing: whoever wrote may have died. */
  | { readonly kind: 'end'; readonly sizeBytes: number; readonly outcome?: 'whole' | 'partial' | undefined }
  | { readonly kind: 'abort'; readonly reason: string }

export interface Start {
  /** `abort`: only what `stales` names. */
  readonly task: 'send' | 'abort'
  readonly job: SendJob
  readonly stales: readonly Stale[]
  readonly limits: Limits
  /** Of the daemon's environment, where the target wants them. */
  readonly credentials?: Partial<Credentials> | undefined
}

export type FromWorker =
  | { readonly kind: 'multipart'; readonly id: string }
  | { readonly kind: 'progress'; readonly sentBytes: number }
  | { readonly kind: 'result'; readonly result: Result }

export type Result = { readonly sent: Sent } | { readonly failure: UploadFailure } | { readonly aborted: Aborted }

/** For each that was to be removed why it could not, else null. */
export type Aborted = readonly (UploadFailure | null)[]
