/** The credentials of a bucket, read anew before each try: they may have been changed. */
import { setTimeout as delay } from 'node:timers/promises'
import { fromInstanceMetadata } from '@smithy/credential-provider-imds'
import type { UploadTarget } from '../../config/upload-target.ts'
import { failed, said } from './failed.ts'
import { readSecretFile } from './secret-file.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

type From = Extract<UploadTarget, { kind: 's3' }>['credentials']

/** One question of three (token, role, credentials) to the machine beneath. */
const IMDS_TIMEOUT_MS = 2000
const IMDS_TRIES = 3
const IMDS_MOST_MS = 15_000

/** `environment`: of the daemon, who alone reads it. @throws Failed */
export async function readCredentials(from: From, environment: Partial<Credentials> | undefined): Promise<Credentials> {
  switch (from.from) {
    case 'file':
      return parseCredentials(await readSecretFile(from.path), from.path)
    case 'environment':
      return ofEnvironment(environment ?? {})
    case 'instance':
      return ofInstance()
  }
}

function parseCredentials(text: string, path: string): Credentials {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // What the parser says quotes the text.
  }
  const { accessKeyId, secretAccessKey, sessionToken } = (value ?? {}) as Record<string, unknown>
  if (!isText(accessKeyId) || !isText(secretAccessKey) || !(sessionToken === undefined || isText(sessionToken)))
    throw failed(
      'credentials-missing',
      `${path} is not used: it is not JSON with accessKeyId, secretAccessKey and, for those that expire, sessionToken`,
    )
  return { accessKeyId, secretAccessKey, sessionToken }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,8192}$/.test(value)
}

function ofEnvironment({ accessKeyId, secretAccessKey, sessionToken }: Partial<Credentials>): Credentials {
  if (!isText(accessKeyId) || !isText(secretAccessKey))
    throw failed(
      'credentials-missing',
      'AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not in the environment of diagd; give a file or `instance` as credentials, or set them',
    )
  return { accessKeyId, secretAccessKey, sessionToken: sessionToken === '' ? undefined : sessionToken }
}

/**
 * IMDSv2 only: where there is no token to be had the library would ask by version 1, which anything that makes the machine send a GET could
 * read too. `ec2MetadataV1Disabled` makes an error of that.
 */
async function ofInstance(): Promise<Credentials> {
  const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
  const provider = fromInstanceMetadata({
    timeout: IMDS_TIMEOUT_MS,
    maxRetries: IMDS_TRIES - 1,
    ec2MetadataV1Disabled: true,
    logger: quiet,
  })
  const over = new AbortController()
  const late = delay(IMDS_MOST_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`it did not answer within ${IMDS_MOST_MS / 1000} s`)
  })
  late.catch(() => {})
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await Promise.race([provider(), late])
    return { accessKeyId, secretAccessKey, sessionToken }
  } catch (error) {
    throw failed('credentials-missing', `the metadata service of the instance gave no credentials: ${whyNot(error)}`)
  } finally {
    over.abort()
  }
}

function whyNot(error: unknown): string {
  const { name, message, statusCode, code } = error as Error & { statusCode?: number; code?: string }
  if (name === 'InstanceMetadataV1FallbackError') return 'it hands out no token of IMDSv2, and version 1 is not used'
  if (statusCode === 404) return 'the instance has no role'
  return said(
    statusCode === undefined ? `${message}${code === undefined ? '' : ` (${code})`}` : `it answered ${statusCode}`,
  )
}
