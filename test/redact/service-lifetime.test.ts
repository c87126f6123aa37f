/** The thread of the rules keeps nobody waiting: not a process that is done, not a bundle beside one whose options are broken. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { createRedactionService } from '../../src/redact/service.ts'
import { temporaryFolder } from '../helpers/archive.ts'

const KEY = Buffer.alloc(32, 7)

test('a process that waits for nothing else ends, with what it asked for', () => {
  const module = JSON.stringify(new URL('../../src/redact/service.ts', import.meta.url).href)
  const script = `import { createRedactionService } from ${module}
    const redactor = createRedactionService().open({ key: Buffer.alloc(32, 7) })
    const { bytes } = await redactor.whole(Buffer.from('password=k7Wq9zLp2XvR4tB8'))
    console.log(bytes.toString())`
  const folder = temporaryFolder()
  try {
    const file = join(folder.path, 'asks.mjs')
    writeFileSync(file, script)
    const said = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 50_000 })
    expect(said).toMatch(/^password=<masked:password:[0-9a-f]{6}>\n$/)
  } finally {
    folder.remove()
  }
})

test('options that cannot be used are the fault of their own bundle', async () => {
  const service = createRedactionService()
  try {
    const broken = service.open({ key: KEY, userRules: [{ name: 'broken', pattern: '(' }] })
    const sound = service.open({ key: KEY })
    const masked = await Promise.allSettled([sound, broken, sound].map((one) => one.whole(Buffer.from('words'))))
    expect(masked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  } finally {
    await service.close()
  }
})

test('a thread that nobody needs ends, and the next bundle gets another', async () => {
  const service = createRedactionService(undefined, 1)
  onTestFinished(() => service.close())
  for (let bundle = 0; bundle < 2; bundle++) {
    const started = once(process, 'worker') as Promise<[Worker]>
    const redactor = service.open({ key: KEY })
    const masked = redactor.whole(Buffer.from('password=k7Wq9zLp2XvR4tB8'))
    const [worker] = await started
    const exit = once(worker, 'exit')
    expect((await masked).bytes.toString()).toMatch(/^password=<masked:/)
    redactor.close()
    await exit
  }
})

test('what is left when the thread has ended is collected, where Node was told that it may be', () => {
  const module = JSON.stringify(new URL('../../src/redact/service.ts', import.meta.url).href)
  const script = `import { once } from 'node:events'
    import { setImmediate } from 'node:timers/promises'
    import { createRedactionService } from ${module}
    const left = new WeakRef(new Array(1000).fill('left'))
    const redactor = createRedactionService(undefined, 1).open({ key: Buffer.alloc(32, 7) })
    const masked = redactor.whole(Buffer.from('words'))
    const [worker] = await once(process, 'worker')
    await masked
    redactor.close()
    worker.ref()
    await once(worker, 'exit')
    await setImmediate()
    console.log(left.deref() === undefined ? 'collected' : 'left')`
  const folder = temporaryFolder()
  try {
    const file = join(folder.path, 'rests.mjs')
    writeFileSync(file, script)
    const run = (...flags: string[]) =>
      execFileSync(process.execPath, [...flags, file], { encoding: 'utf8', timeout: 50_000 })
    expect(run('--expose-gc')).toBe('collected\n')
    expect(run()).toBe('left\n')
  } finally {
    folder.remove()
  }
})

test('a stream that has ended takes no more: its memory is another one by then', async () => {
  const service = createRedactionService()
  onTestFinished(() => service.close())
  const redactor = service.open({ key: KEY })
  const over = redactor.stream()
  for await (const part of over.end()) void part
  const next = redactor.stream()
  for await (const part of next.push(Buffer.from('words of the next'))) void part
  await expect(over.push(Buffer.from('of the one that is over')).next()).rejects.toThrow('has ended')
  const out: Buffer[] = []
  for await (const part of next.end()) out.push(Buffer.from(part))
  expect(Buffer.concat(out).toString()).toBe('words of the next')
})

test('more streams side by side than memories are kept for, again and again', async () => {
  const service = createRedactionService()
  onTestFinished(() => service.close())
  const redactor = service.open({ key: KEY })
  for (let round = 0; round < 3; round++) {
    const texts = Array.from({ length: 30 }, (_, at) => `${'x'.repeat(at)} password=k7Wq9zLp2XvR4tB${at}\n`)
    const masked = await Promise.all(texts.map((text) => redactor.whole(Buffer.from(text))))
    for (const [at, { bytes }] of masked.entries()) {
      expect(bytes.toString()).toMatch(new RegExp(`^x{${at}} password=<masked:password:[0-9a-f]{6}>\\n$`))
    }
  }
})
