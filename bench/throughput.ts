/** Whole commands, in turn: diagd's, bundled as it is released, against tar and pigz, and its formats against each other. */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { bundleApp } from '../packaging/bundle.ts'
import { TOP } from '../packaging/places.ts'
import { median, type Row } from './table.ts'
import type { Workplace } from './workplace.ts'

const ROUNDS = 5

export async function throughputRows(work: Workplace): Promise<Row[]> {
  const cores = availableParallelism()
  const app = await released(work)
  const collect = (format: string, ...more: string[]): string[] => [
    ...app,
    'collect',
    '--only',
    'extras',
    '--limits',
    'none',
    '--since',
    '2d',
    '--format',
    format,
    '-o',
    '-',
    ...more,
  ]
  const commands: Record<string, string[]> = {
    pigz: ['sh', '-c', `tar -c -C ${work.logs} . | pigz -6 -p ${cores}`],
    'tar.gz': collect('tar.gz'),
    unmasked: collect('tar.gz', '--unmasked'),
    'tar.zst': collect('tar.zst'),
    age: ['sh', '-c', `tar -c -C ${work.logs} . | pigz -6 -p ${cores} | age -r ${work.recipient}`],
    'tar.gz.age': collect('tar.gz', '--recipient', work.recipient),
  }
  execFileSync('sh', ['-c', `cat ${work.logs}/* > /dev/null`])
  const seconds: Record<string, number[]> = Object.fromEntries(Object.keys(commands).map((name) => [name, []]))
  const bytes: Record<string, number> = {}
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, command] of Object.entries(commands)) {
      const out = join(work.folder, `out.${name}`)
      seconds[name]!.push(await timed(command, out, work))
      bytes[name] = statSync(out).size
    }
  }
  const ratio = (a: string, b: string): string =>
    median(seconds[a]!.map((value, round) => value / seconds[b]![round]!)).toFixed(2)
  const size = ((bytes['tar.gz']! / bytes.pigz! - 1) * 100).toFixed(1)
  const shown = (name: string): string =>
    `${median(seconds[name]!).toFixed(2)} s, ${(bytes[name]! / 1e6).toFixed(1)} MB`
  return [
    { what: `tar c | pigz -6 -p ${cores}, whole command`, measured: shown('pigz'), beside: '' },
    {
      what: 'diagd collect, tar.gz, whole command',
      measured: shown('tar.gz'),
      beside: `${ratio('tar.gz', 'pigz')} × pigz (≤ 1.1), size ${size} % (≤ 3)`,
    },
    {
      what: 'diagd collect --unmasked, tar.gz, whole command',
      measured: shown('unmasked'),
      beside: `${ratio('unmasked', 'pigz')} × pigz; masked is ${ratio('tar.gz', 'unmasked')} × this`,
    },
    {
      what: 'diagd collect, tar.zst, whole command',
      measured: shown('tar.zst'),
      beside: `${ratio('tar.gz', 'tar.zst')} × faster than tar.gz (≥ 3)`,
    },
    { what: `tar c | pigz -6 -p ${cores} | age, whole command`, measured: shown('age'), beside: '' },
    {
      what: 'diagd collect, tar.gz.age, whole command',
      measured: shown('tar.gz.age'),
      beside: `${ratio('tar.gz.age', 'age')} × pigz | age, ${ratio('tar.gz.age', 'tar.gz')} × tar.gz`,
    },
  ]
}

/** The program of the package, started as /usr/bin/diagd does it. */
async function released({ folder }: Workplace): Promise<string[]> {
  const app = join(folder, 'app')
  mkdirSync(app)
  for (const { name, content } of (await bundleApp('0.0.0')).files) writeFileSync(join(app, name), content)
  symlinkSync(join(TOP, 'node_modules'), join(app, 'node_modules'))
  return [process.execPath, '--max-semi-space-size=1', join(app, 'diagd.js')]
}

function timed(command: readonly string[], out: string, work: Workplace): Promise<number> {
  const file = openSync(out, 'w')
  const began = performance.now()
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', file, 'ignore'], env: work.environment })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => {
      closeSync(file)
      if (code === 0) resolve((performance.now() - began) / 1000)
      else reject(new Error(`${command.join(' ')} exited with code ${code}`))
    })
  })
}
