import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cloudInitSources } from '../../../src/sources/logs/cloud-init.ts'
import type { LogBatches, LogSource, LogSpan, RawLine } from '../../../src/sources/logs/line.ts'
import { ownFolder, sourceContext } from '../../helpers/source.ts'

const ALL: LogSpan = { direction: 'forward', sinceUs: 0, untilUs: Infinity }

async function machine(files: Readonly<Record<string, string>>) {
  const root = await ownFolder()
  mkdirSync(join(root, 'var/log'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'var/log', name), text)
  const ctx = sourceContext({}, { root })
  const [log, output] = cloudInitSources() as [LogSource, LogSource]
  const read = async (source: LogSource, span: Partial<LogSpan> = {}) => ended(source.read({ ...ALL, ...span }, ctx))
  return { root, ctx, log, output, read, path: (name: string) => join(root, 'var/log', name) }
}

async function ended(batches: LogBatches): Promise<{ lines: RawLine[]; problem: string | void }> {
  const lines: RawLine[] = []
  let step = await batches.next()
  for (; !step.done; step = await batches.next()) lines.push(...step.value.filter(({ context }) => !context))
  return { lines, problem: step.value }
}

const OUTPUT = `Cloud-init v. 22.4.2 running 'init' at Sat, 21 Nov 2026 16:47:22 +0000. Up 3.83 seconds.
ci-info: +++++
Cloud-init v. 22.4.2 running 'modules:final' at Sat, 21 Nov 2026 16:48:00 +0000. Up 41.83 seconds.
E: Unable to locate package
[ERROR] it failed
2026-11-21 16:48:09,439 - cc_scripts_user.py[WARNING]: Failed to run module scripts-user
after that
`

test('lines without a time have the last one that was told, and the level that they name', async () => {
  const { output, read } = await machine({ 'cloud-init-output.log': OUTPUT })
  const { lines } = await read(output)
  const shown = lines.map(({ timeUs, level, message }) => [
    new Date(timeUs / 1000).toISOString().slice(14, 19),
    level,
    message,
  ])
  expect(shown).toEqual([
    ['47:22', 'info', expect.stringContaining("running 'init'")],
    ['47:22', 'info', 'ci-info: +++++'],
    ['48:00', 'info', expect.stringContaining('modules:final')],
    ['48:00', 'info', 'E: Unable to locate package'],
    ['48:00', 'error', '[ERROR] it failed'],
    ['48:09', 'warning', 'cc_scripts_user.py[WARNING]: Failed to run module scripts-user'],
    ['48:09', 'info', 'after that'],
  ])
})

test('a stack trace belongs to the line before it', async () => {
  const { log, read } = await machine({
    'cloud-init.log': '2026-11-21 16:48:09,439 - util.py[ERROR]: bad\nTraceback:\n  File "x.py"\n',
  })
  const { lines } = await read(log)
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'error util.py[ERROR]: bad',
    'error Traceback:',
    'error   File "x.py"',
  ])
  expect(new Set(lines.map(({ timeUs }) => timeUs)).size).toBe(1)
})

test('a large file is read alike in either direction, through many parts', async () => {
  const line = (index: number) =>
    `2026-11-21 16:${String(Math.floor(index / 600) % 60).padStart(2, '0')}:00,000 - a.py[DEBUG]: line ${index}\n`
  const text = Array.from({ length: 20_000 }, (_, index) => line(index)).join('')
  const { log, read } = await machine({ 'cloud-init.log': text })
  const forward = (await read(log)).lines
  expect(forward).toHaveLength(20_000)
  const ctx = await machine({ 'cloud-init.log': text })
  const backward: string[] = []
  for await (const batch of ctx.log.read({ ...ALL, direction: 'backward' }, ctx.ctx))
    backward.push(...batch.map(({ message }) => message).toReversed())
  expect(backward).toEqual(forward.map(({ message }) => message).toReversed())
  const middle = (
    await read(log, { sinceUs: Date.UTC(2026, 10, 21, 16, 10) * 1000, untilUs: Date.UTC(2026, 10, 21, 16, 11) * 1000 })
  ).lines
  expect(middle.map(({ message }) => message)).toEqual(
    Array.from({ length: 1200 }, (_, index) => `a.py[DEBUG]: line ${6000 + index}`),
  )
})

test('a line that is not ended yet is left for later', async () => {
  const { log, read, path } = await machine({ 'cloud-init.log': '2026-11-21 16:48:09,439 - a.py[INFO]: one\nhalf' })
  const first = (await read(log)).lines
  expect(first.map(({ message }) => message)).toEqual(['a.py[INFO]: one'])
  appendFileSync(path('cloud-init.log'), ' and half\n')
  const next = (await read(log, { after: first.at(-1)!.place })).lines
  expect(next.map(({ message }) => message)).toEqual(['half and half'])
})

test('another file in its place is read by time, though it has a line at the same offset', async () => {
  const trace = (time: string, name: string) => `2026-11-21 ${time},439 - a.py[ERROR]: ${name}\nTraceback ${name}\n`
  const { log, read, path } = await machine({ 'cloud-init.log': trace('16:48:09', 'one') })
  const first = (await read(log)).lines
  writeFileSync(path('next'), trace('17:00:00', 'two'))
  renameSync(path('next'), path('cloud-init.log'))
  const next = (await read(log, { after: first.at(-1)!.place })).lines
  expect(next.map(({ message }) => message)).toEqual(['a.py[ERROR]: two', 'Traceback two'])
})

test('compressed rotations are named, a link out of the folder is not followed', async () => {
  const { log, output, read, path } = await machine({ 'cloud-init.log': '', 'cloud-init.log.2.gz': '', secret: 'x\n' })
  expect((await read(log)).problem).toBe('compressed, and so only in a bundle: /var/log/cloud-init.log.2.gz')
  writeFileSync(path('../secret'), 'x\n')
  symlinkSync('../secret', path('cloud-init-output.log'))
  await expect(read(output)).rejects.toThrow(/cloud-init-output\.log/)
})

test('followed, it brings what is written, through a rotation', async () => {
  const line = (text: string) => `2026-11-21 16:48:09,439 - a.py[INFO]: ${text}\n`
  const { log, root, path } = await machine({ 'cloud-init.log': line('old') })
  const stop = new AbortController()
  const followed = log.follow({ sinceUs: Date.UTC(2026, 11) * 1000 }, sourceContext({}, { root, signal: stop.signal }))
  const seen: string[] = []
  const until = async (text: string) => {
    while (!seen.some((message) => message.endsWith(text))) {
      const step = await followed.next()
      seen.push(...(step.value as RawLine[]).filter(({ context }) => !context).map(({ message }) => message))
    }
  }
  // Where it ends is where it begins, though the times say nothing of it.
  expect(await followed.next()).toMatchObject({ value: [{ message: 'a.py[INFO]: old', context: true }] })
  appendFileSync(path('cloud-init.log'), line('one'))
  await until('one')
  renameSync(path('cloud-init.log'), path('cloud-init.log.1'))
  appendFileSync(path('cloud-init.log.1'), line('two'))
  writeFileSync(path('cloud-init.log'), line('three'))
  await until('three')
  expect(seen).toEqual(['a.py[INFO]: one', 'a.py[INFO]: two', 'a.py[INFO]: three'])
  stop.abort()
  await expect(followed.next()).rejects.toThrow()
})
