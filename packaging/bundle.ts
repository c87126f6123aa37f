/** Everything that runs, as a few JavaScript files in one folder: no TypeScript to strip, no packages to look for. */
import { realpathSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { rolldown, type RolldownOutput } from 'rolldown'
import { withCollectors, withoutUndici, withoutUnused, withVersion, withWorkers } from './bundle-plugins.ts'
import { NATIVE } from './native.ts'
import { TOP } from './places.ts'

interface AppFile {
  /** In the folder of the application; it has no folders of its own. */
  readonly name: string
  readonly content: string
}

export interface App {
  readonly files: readonly AppFile[]
  /** Folders of the packages that are in it or beside it, from the top of the repository. */
  readonly packages: readonly string[]
}

/** @throws Error where the sources look for a file in a way that the bundle does not have. */
export async function bundleApp(version: string): Promise<App> {
  const bundle = await rolldown({
    cwd: TOP,
    input: { diagd: join(TOP, 'src/cli.ts') },
    platform: 'node',
    external: NATIVE.map(({ name }) => name),
    onLog: (_level, log) => {
      throw new Error(`the bundle cannot be made: ${log.message}`)
    },
    plugins: [
      withVersion(version),
      withCollectors(await collectorFiles()),
      withWorkers(),
      withoutUndici(),
      withoutUnused(),
    ],
  })
  try {
    const { output } = await bundle.generate({
      format: 'esm',
      // All in one folder: from there, a worker is beside whoever starts it.
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      // A single character beyond Latin-1 would make V8 hold the whole file with two bytes for each.
      charset: 'ascii',
      // Names stay, for stack traces; blanks and comments only cost memory.
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
      comments: { legal: false, annotation: false, jsdoc: false },
    })
    const facts = { name: 'diagd', version, type: 'module' }
    const packageJson = { name: 'package.json', content: `${JSON.stringify(facts)}\n` }
    return { files: [...filesOf(output), packageJson], packages: packagesOf(output) }
  } finally {
    await bundle.close()
  }
}

function filesOf(output: RolldownOutput['output']): AppFile[] {
  const files = output.map((one) => {
    if (one.type !== 'chunk') throw new Error(`the bundle has a file that is no JavaScript: ${one.fileName}`)
    const lost = /new URL\([^)]{0,80}\.ts['"`]|import\.meta\.(?:dir|file)name/.exec(one.code)
    if (lost) throw new Error(`${one.fileName} looks for a file of the sources, which the bundle has not: ${lost[0]}`)
    return { name: one.fileName, content: one.code }
  })
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function packagesOf(output: RolldownOutput['output']): string[] {
  // A linked node_modules is where it is.
  const above = dirname(realpathSync(join(TOP, 'node_modules')))
  const modules = output.flatMap((one) => (one.type === 'chunk' ? one.moduleIds : []))
  const folders = modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0])
  const from = folders.filter((folder) => folder !== undefined).map((folder) => relative(above, folder))
  const native = NATIVE.map(({ name }) => `node_modules/${name}`)
  return [...new Set([...from, ...native])].toSorted()
}

async function collectorFiles(): Promise<string[]> {
  const names = await readdir(join(TOP, 'collectors'))
  return names.filter((name) => name.endsWith('.ts')).toSorted()
}
