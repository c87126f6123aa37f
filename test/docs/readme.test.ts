import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

const top = fileURLToPath(new URL('../../', import.meta.url))
const readme = await readFile(`${top}README.md`, 'utf8')
const helps = ['collect', 'serve', 'list', 'verify', 'check', 'redact', 'logs'].map(
  (command) =>
    [
      command,
      execFileSync(process.execPath, ['src/cli.ts', command, '--help'], { cwd: top, encoding: 'utf8' }),
    ] as const,
)

test('every command line of the README is one that diagd --help knows', () => {
  const lines = [...readme.matchAll(/npm run -s diagd -- (\w+)([^#\n]*)/g)]
  expect(lines.length).toBeGreaterThan(3)
  for (const [line, command, rest] of lines) {
    const help = new Map(helps).get(command!)
    expect(help, line).toBeDefined()
    const flags = rest!
      .split(' | ')[0]!
      .split(' ')
      .filter((word) => /^-{1,2}[a-z]/.test(word))
    for (const flag of flags) expect(help!.split(/[\s,]+/), line).toContain(flag)
  }
})

test('every flag that the README mentions is one of diagd', () => {
  const known = helps.flatMap(([, help]) => help.split(/[\s,]+/))
  const flags = [...readme.matchAll(/`(--[a-z]+)/g)].map(([, flag]) => flag!)
  expect(flags.length).toBeGreaterThan(0)
  for (const flag of flags) expect(known).toContain(flag)
})

test.each(['README.md', 'CONTRIBUTING.md'])('every npm script that %s names exists', async (document) => {
  const text = await readFile(`${top}${document}`, 'utf8')
  const scripts = [...text.matchAll(/npm (?:run (?:-s )?([a-z]+)|(start|test)\b)/g)].map(
    ([, run, short]) => run ?? short!,
  )
  expect(scripts.length).toBeGreaterThan(0)
  for (const script of scripts) expect(Object.keys(packageJson.scripts)).toContain(script)
})

test('every folder of the house that the README draws is there', () => {
  const house = readme.split('## The house')[1]!.split('Imports point')[0]!
  const paths = [...house.matchAll(/^ {4}( {2})?([a-z.]+\/?) /gm)].map(
    ([, inner, name]) => `${inner ? 'src/' : ''}${name!}`,
  )
  expect(paths.length).toBeGreaterThan(10)
  for (const path of paths) expect(existsSync(top + path), path).toBe(true)
})
