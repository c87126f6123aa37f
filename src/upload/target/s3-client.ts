/** The client of the SDK, told to do nothing by itself: no tries, no time of its own, nobody asked but the one who was named. */
import { Agent } from 'node:https'
import { Agent as PlainAgent } from 'node:http'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { UploadTarget } from '../../config/upload-target.ts'
import type { Credentials } from './credentials.ts'
import { readAuthority } from './authority.ts'

type S3Target = Extract<UploadTarget, { kind: 's3' }>

export async function createS3Client(target: S3Target, credentials: Credentials, connectMs: number): Promise<S3Client> {
  const ca = await readAuthority(target.ca)
  const config = {
    region: target.region,
    ...(target.endpoint === undefined ? {} : { endpoint: target.endpoint.href }),
    forcePathStyle: target.pathStyle,
    credentials: { ...credentials, sessionToken: credentials.sessionToken },
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectMs,
      // An agent of ours: the SDK makes one without `ca` where a request waits for `100 Continue`.
      httpsAgent: new Agent({ keepAlive: true, ca }),
      httpAgent: new PlainAgent({ keepAlive: true }),
    }),
    // Tries are ours: the body of a part is paced, and Retry-After and a stall count.
    maxAttempts: 1,
    expectContinueHeader: false,
    // Else a wrong clock would be hidden from whoever reads the times in the bundle.
    disableClockSkewCorrection: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: false,
    // `auto` would ask the metadata service where we are.
    defaultsMode: 'standard',
  } as const
  return new S3Client(config as S3ClientConfig)
}
