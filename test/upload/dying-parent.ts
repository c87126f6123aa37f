/** Stands for diagd, to be killed: uploads 12 MiB, and tells its child's pid and the id of what it began. */
import { startSending, type SendOptions } from '../../src/upload/send/sending.ts'
import type { SendJob } from '../../src/upload/upload.ts'
import { bytesOf, MIB, writeAll } from '../helpers/upload.ts'

const { job, options } = JSON.parse(process.argv[2]!) as { job: SendJob; options: SendOptions }
const sending = startSending(job, options)
sending.onMultipart(async (multipartId) => console.log(JSON.stringify({ pid: sending.pid, multipartId })))
await writeAll(sending, bytesOf(12 * MIB))
await sending.end()
