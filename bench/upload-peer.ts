/** Uploads a file by lib-storage as its page shows it, and says how many milliseconds that took without its own start, and how much CPU in all. */
import { createReadStream } from 'node:fs'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'

const [, , endpoint, Bucket, file] = process.argv as [string, string, string, string, string]
const { BENCH_KEY: accessKeyId = '', BENCH_SECRET: secretAccessKey = '' } = process.env
const credentials = { accessKeyId, secretAccessKey }
const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials })
const began = performance.now()
await new Upload({ client, params: { Bucket, Key: 'peer', Body: createReadStream(file) } }).done()
const loadedMs = performance.now() - began
const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ loadedMs, cpuMs: (user + system) / 1000 }))
// As the child of diagd does: it waits for no connection that is kept.
process.exit(0)
