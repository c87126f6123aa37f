/** Before the first system test: is everything there? Then the package is built that the machines install. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { TestProject } from 'vitest/node'
import { folderOfThisRun } from './cache.ts'
import { removeLeftovers } from './machine.ts'
import { missing } from './needs.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the .deb under test; empty when the system test cannot run here. */
    deb: string
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const absent = missing()
  if (absent.length > 0) {
    const text = `system test needs ${absent.join(' and ')}; \`npm run test:system\` as root gets it`
    if (process.env.CI) throw new Error(`the ${text}`)
    console.warn(`SKIPPED: ${text}`)
    project.provide('deb', '')
    return undefined
  }
  await removeLeftovers()
  const folder = await folderOfThisRun('package')
  project.provide('deb', await buildDeb(folder))
  return () => rm(folder, { recursive: true, force: true })
}

export async function buildDeb(folder: string): Promise<string> {
  const script = join(import.meta.dirname, '../../../packaging/package.ts')
  await execa(process.execPath, [script, '--arch', 'x64', '--output', folder])
  const name = (await readdir(folder)).find((each) => each.endsWith('_amd64.deb'))
  if (!name) throw new Error(`npm run package left no amd64.deb in ${folder}`)
  return join(folder, name)
}
