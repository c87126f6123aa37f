import { createServer as createHttpsServer } from 'node:https'
import { createServer, request, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { chmodSync, chownSync, readFileSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, onTestFinished, test } from 'vitest'
import type { SendOptions } from '../../src/upload/send/sending.ts'
import { s3Failure } from '../../src/upload/target/s3-failure.ts'
import type { UploadFailure } from '../../src/upload/upload.ts'
import { describeWithCeph, KEYS, type Ceph } from '../helpers/ceph.ts'
import { freePort } from '../helpers/control-plane.ts'
import { answerOf, openFaultProxy } from '../helpers/fault-proxy.ts'
import { createAuthority } from '../helpers/tls.ts'
import { bytesOf, jobOf, QUICK, s3Target, secretFile, sent, type S3Target } from '../helpers/upload.ts'

/** How an upload of a few bytes fails. */
async function failureOf(ceph: Ceph, target: Partial<S3Target>, options: SendOptions = QUICK): Promise<UploadFailure> {
  const result = await sent(jobOf(s3Target(ceph, target)), bytesOf(1000), options)
  if ('sent' in result) throw new Error('it was taken')
  return result.failure
}

describeWithCeph('an upload that is refused', (ceph) => {
  test('a wrong secret, and a key that nobody knows, are forbidden; neither is told', async () => {
    const wrong = { ...KEYS, secretAccessKey: 'wrong-secret-of-the-test' }
    const bySecret = await failureOf(ceph(), { credentials: { from: 'file', path: secretFile(wrong) } })
    expect(bySecret).toMatchObject({ kind: 'forbidden', permanent: true })
    expect(bySecret.message).toContain('403 SignatureDoesNotMatch')
    expect(JSON.stringify(bySecret)).not.toContain('wrong-secret')
    const unknown = { ...KEYS, accessKeyId: 'AKIDNOBODY' }
    const byKey = await failureOf(ceph(), { credentials: { from: 'file', path: secretFile(unknown) } })
    expect(byKey).toMatchObject({ kind: 'forbidden', permanent: true })
  })

  test('a bucket that is not there is named', async () => {
    const failure = await failureOf(ceph(), { bucket: 'nobodys' })
    expect(failure).toMatchObject({ kind: 'no-bucket', permanent: true })
    expect(failure.message).toContain('nobodys')
  })

  test('a token that has expired', async () => {
    const body = '<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>'
    const fault = { kind: 'answer', text: answerOf('400 Bad Request', {}, body) } as const
    const proxy = await openFaultProxy(ceph().port, () => fault)
    const failure = await failureOf(ceph(), { endpoint: proxy.endpoint })
    expect(failure).toMatchObject({ kind: 'credentials-expired', permanent: true })
    expect(proxy.requests).toHaveLength(1)
  })

  test('a wrong clock, and by how much', async () => {
    const client = new S3Client({
      endpoint: ceph().endpoint.href,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: KEYS,
      maxAttempts: 1,
      systemClockOffset: -3_600_000,
    })
    const error = await rejection(client.send(new ListBucketsCommand({})))
    const facts = { host: 'ceph', bucket: 'b', region: 'r', secrets: [] }
    expect(s3Failure(error, facts).failure).toMatchObject({ kind: 'clock-skew', permanent: true })
    // As of a machine whose clock is right, whoever signed.
    const ahead = Object.assign(new Error('no'), {
      name: 'RequestTimeTooSkewed',
      $metadata: { httpStatusCode: 403 },
      $response: { headers: { date: new Date(Date.now() - 1_800_000).toUTCString() } },
    })
    expect(s3Failure(ahead, facts).message).toMatch(/is (1799|1800|1801) s ahead of that of ceph$/)
  })

  test.for([
    ['is not there', (): string => '/nonexistent/credentials', /it is not there/],
    ['others may read', (): string => secretFile(KEYS, 0o640), /mode 0640\); accepted: 0600/],
    ['is not JSON', (): string => secretFile('AWS_SECRET_ACCESS_KEY=hush'), /not JSON with accessKeyId/],
    ['lacks the secret', (): string => secretFile({ accessKeyId: 'A' }), /not JSON with accessKeyId/],
  ] as const)('a file of credentials that %s', async ([, path, why]) => {
    const failure = await failureOf(ceph(), { credentials: { from: 'file', path: path() } })
    expect(failure).toMatchObject({ kind: 'credentials-missing', permanent: true })
    expect(failure.message).toMatch(why)
    expect(failure.message).not.toContain('hush')
  })

  test.runIf(process.getuid?.() === 0)('a file of credentials that belongs to somebody else', async () => {
    const path = secretFile(KEYS)
    chownSync(path, 12_345, 0)
    chmodSync(path, 0o600)
    const failure = await failureOf(ceph(), { credentials: { from: 'file', path } })
    expect(failure).toMatchObject({ kind: 'credentials-missing', permanent: true })
    expect(failure.message).toContain('it belongs to uid 12345')
  })

  test('an environment without credentials, and nothing of ours is taken instead', async () => {
    const failure = await failureOf(ceph(), {}, { ...QUICK, environment: {} })
    expect(failure).toMatchObject({ kind: 'credentials-missing' })
    expect(failure.message).toContain('AWS_ACCESS_KEY_ID')
  })

  test('nobody listens, and a name that nobody knows', async () => {
    const refused = await failureOf(ceph(), { endpoint: new URL(`http://127.0.0.1:${await freePort()}`) })
    expect(refused).toMatchObject({ kind: 'unreachable', permanent: false })
    expect(refused.message).toContain('connection refused')
    const unknown = await failureOf(ceph(), { endpoint: new URL('https://bucket.invalid') })
    expect(unknown).toMatchObject({ kind: 'unreachable', permanent: false })
    expect(unknown.message).toContain('DNS')
  })

  test('over TLS with the authority it is taken, without it not, and not with a certificate that has expired', async () => {
    const authority = createAuthority()
    const secure = await overTls(ceph(), authority.sign('good'))
    const job = jobOf(s3Target(ceph(), { endpoint: secure, ca: authority.certificate }))
    expect(await sent(job, bytesOf(1000))).toMatchObject({ sent: { verified: true } })
    const unknown = await failureOf(ceph(), { endpoint: secure })
    expect(unknown).toMatchObject({ kind: 'tls', permanent: true })
    expect(unknown.message).toContain('give it as `ca`')
    const old = await overTls(ceph(), authority.sign('old', { days: -1 }))
    const expired = await failureOf(ceph(), { endpoint: old, ca: authority.certificate })
    expect(expired).toMatchObject({ kind: 'tls' })
    expect(expired.message).toContain('has expired')
    const noAuthority = await failureOf(ceph(), { endpoint: secure, ca: '/nonexistent/ca.pem' })
    expect(noAuthority).toMatchObject({ kind: 'tls' })
    expect(noAuthority.message).toContain('/nonexistent/ca.pem')
  })

  test('the metadata service gives credentials, by a token', async () => {
    const service = await metadataService({ tokens: true })
    const target = s3Target(ceph(), { credentials: { from: 'instance' } })
    const options = { ...QUICK, environment: {}, metadataEndpoint: service.endpoint }
    expect(await sent(jobOf(target), bytesOf(1000), options)).toMatchObject({ sent: { verified: true } })
    expect(service.asked).toEqual(['PUT with no token', 'GET with t0ken', 'GET with t0ken'])
  })

  test('a metadata service that hands out no token is asked nothing more', async () => {
    const service = await metadataService({ tokens: false })
    const options = { ...QUICK, metadataEndpoint: service.endpoint }
    const failure = await failureOf(ceph(), { credentials: { from: 'instance' } }, options)
    expect(failure).toMatchObject({ kind: 'credentials-missing' })
    expect(failure.message).toContain('no token of IMDSv2')
    expect(service.asked).toEqual(['PUT with no token'])
  })
})

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was not refused')
}

/** In front of Ceph, with that certificate. */
async function overTls({ port }: Ceph, { certificate, key }: { certificate: string; key: string }): Promise<URL> {
  const server = createHttpsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (given, answer) => {
    const { method, url, headers } = given
    const onward = request({ port, host: '127.0.0.1', method, path: url, headers }, (come) => {
      answer.writeHead(come.statusCode!, come.headers)
      come.pipe(answer)
    })
    given.pipe(onward)
  })
  return new URL(`https://127.0.0.1:${await listen(server)}`)
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** What an instance finds at 169.254.169.254. Version 1 would answer without a token. */
async function metadataService({ tokens }: { tokens: boolean }) {
  const asked: string[] = []
  const answer: RequestListener = ({ method, url, headers }, response) => {
    asked.push(`${method} with ${String(headers['x-aws-ec2-metadata-token'] ?? 'no token')}`)
    if (method === 'PUT') return void (tokens ? response.end('t0ken') : response.writeHead(403).end())
    const folder = '/latest/meta-data/iam/security-credentials/'
    if (url === folder) return void response.end('the-role')
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = KEYS
    const Expiration = new Date(Date.now() + 3_600_000).toISOString()
    // Ceph knows no session token of nobody's: as long as it is empty, none is sent.
    response.end(JSON.stringify({ Code: 'Success', AccessKeyId, SecretAccessKey, Token: '', Expiration }))
  }
  return { endpoint: `http://127.0.0.1:${await listen(createServer(answer))}`, asked }
}
