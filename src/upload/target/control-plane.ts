/** A control plane as the place of a bundle: it hands out presigned URLs, and what they lead to gets the bytes. */
import type { UploadTarget } from '../../config/upload-target.ts'
import { parseHeaders } from '../../otlp/send.ts'
import type { SendJob } from '../upload.ts'
import { exchanged, type Answer, type Exchange } from './exchange.ts'
import { failed, Failed } from './failed.ts'
import type { Line, Try } from './line.ts'
import type { Place, Whole } from './place.ts'
import { parseMoreParts, parsePlan, type MultipartPlan, type Plan, type Signed } from './plan.ts'
import { planeFailure, storageFailure } from './plane-failure.ts'
import { createPartUrls } from './part-urls.ts'
import { readAuthority } from './authority.ts'
import { readSecretFile } from './secret-file.ts'

export interface ControlPlaneJob extends SendJob {
  readonly target: Extract<UploadTarget, { kind: 'control-plane' }>
}

/** Storage wants to know the length first, so all of it is held: the child stays below 130 MiB with it. */
const MOST_WHOLE_BYTES = 64 * 1024 * 1024
const MOST_PARTS = 10_000
const SCHEMA = 'diagd.upload/1'

/** Asks the control plane where to. `isStart` false: it is only asked to abort. @throws Failed */
export async function openControlPlane(job: ControlPlaneJob, line: Line, isStart: boolean): Promise<Place> {
  const wire = await openWire(job, line)
  const abort = (id: string, key: string, by: Signed | undefined) => {
    if (by === undefined) return wire.ask('abort', { id, key }, line.afterwards()).then(() => {})
    return wire.store({ method: 'DELETE', ...by }, [], line.afterwards(), [404]).then(() => {})
  }
  if (!isStart) return onlyAborting(abort, job.key)
  const plan = parsePlan(await wire.ask('start', startOf(job)), wire.host)
  const place = {
    key: plan.key ?? job.key,
    verify: (whole: Whole) => verify(wire, plan.verify, whole),
    retain: async () => [],
  }
  if (plan.kind === 'multipart') return { ...inParts(wire, plan.multipart, place.key, abort), ...place }
  return {
    ...onlyAborting(abort, place.key),
    ...place,
    partBytes: () => MOST_WHOLE_BYTES,
    async put(bytes) {
      if (plan.kind === 'put') return void (await wire.store({ method: 'PUT', ...plan.put }, [bytes]))
      const { pieces, contentType } = formOf(plan, job, bytes)
      await wire.store({ method: 'POST', url: plan.url, headers: { 'content-type': contentType } }, pieces)
    },
    begin() {
      throw failed(
        'too-large',
        `the control plane handed out one URL for the whole, which may have ${MOST_WHOLE_BYTES} bytes at most: more have come; it should answer \`multipart\``,
      )
    },
  }
}

type Abort = (id: string, key: string, by: Signed | undefined) => Promise<void>

/** Also for what an earlier try left. */
function onlyAborting(abort: Abort, key: string): Place {
  const none = () => Promise.reject(failed('internal', 'nothing is sent there'))
  return {
    key,
    partBytes: () => undefined,
    put: none,
    begin: none,
    part: none,
    complete: none,
    verify: none,
    retain: none,
    abort: (id, ofKey) => abort(id, ofKey, undefined),
  }
}

function inParts(
  wire: Wire,
  plan: MultipartPlan,
  key: string,
  abort: Abort,
): Pick<Place, 'begun' | Exclude<keyof Place, 'key' | 'verify' | 'retain'>> {
  const { id, partBytes } = plan
  const urls = createPartUrls(plan.parts, async (from) =>
    parseMoreParts(await wire.ask('parts', { id, key, from }), wire.host),
  )
  return {
    begun: id,
    partBytes: (number) => (number > MOST_PARTS ? undefined : partBytes),
    put: () => Promise.reject(failed('internal', 'all goes in parts')),
    begin: () => Promise.resolve(id),
    async part(number, bytes) {
      const url = await urls.of(number)
      const { headers } = await wire.store({ method: 'PUT', url, headers: {} }, [bytes])
      const { etag } = headers
      if (etag === undefined)
        throw failed('bad-answer', `${url.host} took part ${number} and did not say what it got (no ETag)`)
      return { number, etag }
    },
    async complete(parts, { sizeBytes, sha256 }) {
      const listed = parts.map(({ number, etag }) => ({ number, etag }))
      if (plan.complete === undefined)
        return void (await wire.ask('complete', { id, key, parts: listed, sizeBytes, sha256 }))
      const rows = listed.map(
        ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`,
      )
      const xml = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rows.join('')}</CompleteMultipartUpload>`
      await wire.store({ method: 'POST', ...plan.complete }, [Buffer.from(xml)])
    },
    abort: (one, ofKey) => abort(one, ofKey, one === id ? plan.abort : undefined),
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

async function verify(wire: Wire, by: Signed | undefined, { sizeBytes }: Whole) {
  if (by === undefined) return { verified: false, note: 'the control plane gave no URL to look at what has arrived' }
  const { headers } = await wire.store({ method: 'HEAD', ...by }, undefined).catch((error: Failed) => {
    throw failed('not-verified', `what was sent could not be verified: ${error.message}`)
  })
  if (Number(headers['content-length']) === sizeBytes) return { verified: true }
  throw failed('not-verified', `${headers['content-length']} bytes are there, ${sizeBytes} were sent`)
}

function startOf({ key, contentType, mostBytes, metadata, tags }: SendJob) {
  const { node, trigger, 'boot-id': bootId, 'bundle-id': bundleId } = metadata
  const name = key.slice(key.lastIndexOf('/') + 1)
  return { node, bootId, bundleId, name, key, trigger, contentType, mostBytes, metadata, tags }
}

/** The fields first, the file last: what comes behind it S3 does not read. */
function formOf({ fields }: Extract<Plan, { kind: 'post' }>, { contentType }: SendJob, bytes: Buffer) {
  const boundary = `diagd-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`
  const part = (name: string, more = '') => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n`
  const texts = Object.entries(fields).map(([name, value]) => `${part(name)}\r\n${value}\r\n`)
  const head = `${texts.join('')}${part('file', '; filename="bundle"')}Content-Type: ${contentType}\r\n\r\n`
  const pieces = [Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]
  return { pieces, contentType: `multipart/form-data; boundary=${boundary}` }
}

interface Wire {
  /** Of the control plane, for people. */
  readonly host: string
  /** Asks the control plane. @returns what it answers. */
  ask(action: string, fields: object, line?: Line): Promise<string>
  /** Sends to where a URL leads. `fine`: beside 2xx. */
  store(
    request: Pick<Exchange, 'method' | 'url' | 'headers'>,
    pieces: readonly Buffer[] | undefined,
    line?: Line,
    fine?: readonly number[],
  ): Promise<Answer>
}

async function openWire({ target }: ControlPlaneJob, line: Line): Promise<Wire> {
  const { url, headersFile } = target
  const ca = await readAuthority(target.ca)
  const secret = headersFile === undefined ? {} : headersOf(await readSecretFile(headersFile), headersFile)
  const { connectMs } = line.limits
  const bodyOf = (pieces: readonly Buffer[], attempt: Try) => ({
    stream: attempt.body(...pieces),
    sizeBytes: pieces.reduce((sum, { length }) => sum + length, 0),
  })
  return {
    host: url.host,
    ask(action, fields, by = line) {
      const body = [Buffer.from(JSON.stringify({ schema: SCHEMA, action, ...fields }))]
      const headers = {
        ...secret,
        'content-type': 'application/json',
        accept: 'application/json, application/problem+json',
      }
      const one = async (attempt: Try) => {
        const { signal } = attempt
        const answer = await exchanged({
          method: 'POST',
          url,
          headers,
          body: bodyOf(body, attempt),
          ca,
          connectMs,
          signal,
        })
        if (answer.status >= 200 && answer.status < 300) return answer.body
        throw planeFailure(answer, url.host)
      }
      return by.tried(url.host, one, (error) => planeFailure(error, url.host, Object.values(secret)))
    },
    store(request, pieces, by = line, fine = []) {
      const { host } = request.url
      const one = async (attempt: Try) => {
        const body = pieces === undefined ? {} : { body: bodyOf(pieces, attempt) }
        const answer = await exchanged({ ...request, ...body, ca, connectMs, signal: attempt.signal })
        const isError = answer.status >= 300 || answer.body.includes('<Error>')
        if (isError && !fine.includes(answer.status)) throw storageFailure(answer, host)
        return answer
      }
      return by.tried(host, one, (error) => storageFailure(error, host))
    },
  }
}

function headersOf(text: string, path: string): Record<string, string> {
  try {
    return parseHeaders(text)
  } catch (error) {
    throw failed('credentials-missing', `${path} is not used: ${(error as Error).message}`)
  }
}
