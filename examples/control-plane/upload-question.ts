/** What a node asks about an upload. Everything in it was written by the node, which somebody may have taken over. */
import { z } from 'zod'
import { BUNDLE_NAME } from './bundle-key.ts'
import { Problem } from './problems.ts'

export type Question = z.infer<typeof schema>
export type Start = Extract<Question, { action: 'start' }>
export type MoreParts = Extract<Question, { action: 'parts' }>
export type Complete = Extract<Question, { action: 'complete' }>
export type Abort = Extract<Question, { action: 'abort' }>

const name = z.string().regex(BUNDLE_NAME, 'is no name of a bundle (debug-NODE-TIME-ID.tar.gz)')

/** Of the key its last part alone: in which folder it lies is the control plane's to say. */
const key = z
  .string()
  .max(1024)
  .transform((text) => text.slice(text.lastIndexOf('/') + 1))
  .pipe(name)

const fact = z.string().regex(/^[\x20-\x7e]{1,200}$/, 'is not ASCII of 1 to 200 characters')
const id = z.string().regex(/^[\x21-\x7e]{1,1024}$/, 'is no id of an upload')
const number = z.int().min(1).max(10_000)
const part = z.object({ number, etag: z.string().regex(/^[\x21-\x7e]{1,256}$/, 'is no ETag') })
const any = { schema: z.literal('diagd.upload/1') }

/** Fields may be added: what is not known is left alone. */
const schema = z
  .discriminatedUnion('action', [
    z.object({
      ...any,
      action: z.literal('start'),
      name,
      contentType: z.enum(['application/gzip', 'application/zstd', 'application/x-tar', 'application/octet-stream']),
      mostBytes: z.int().min(1).optional(),
      bootId: fact.optional(),
      bundleId: fact.optional(),
      trigger: fact.optional(),
    }),
    z.object({ ...any, action: z.literal('parts'), id, key, from: number }),
    z.object({
      ...any,
      action: z.literal('complete'),
      id,
      key,
      parts: z.array(part).min(1).max(10_000),
      sizeBytes: z.int().min(1),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256'),
    }),
    z.object({ ...any, action: z.literal('abort'), id, key }),
  ])
  .transform((asked) => (asked.action === 'start' ? asked : Object.assign(asked, { name: asked.key })))

/** @throws Problem that names the field. */
export function parseQuestion(body: unknown, node: string): Question {
  const read = schema.safeParse(body)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new Problem('upload-invalid', `${issue!.path.join('.') || 'the body'}: ${issue!.message}`, { node })
}
