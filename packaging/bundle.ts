/** Everything that runs, as a few JavaScript files in one folder: no TypeScript to strip, no packages to look for. */
import { readdir } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { rolldown, type Plugin, type RolldownOutput } from 'rolldown'
import { NATIVE } from './native.ts'
import { TOP } from './places.ts'

interface AppFile {
  /** In the folder of the application; it has no folders of its own. */
  readonly name: string
  readonly content: string
}

export interface App {
  readonly files: readonly AppFile[]
  /** Folders of the packages that are in it, from the top of the repository. */
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
    plugins: [withVersion(version), withCollectors(await collectorFiles()), withWorkers()],
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
  const modules = output.flatMap((one) => (one.type === 'chunk' ? one.moduleIds : []))
  const folders = modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0])
  const from = folders.filter((folder) => folder !== undefined).map((folder) => relative(TOP, folder))
  return [...new Set(from)].toSorted()
}

/** The version of the release, which need not be that of package.json. */
function withVersion(version: string): Plugin {
  return {
    name: 'version',
    load: (id) => (id === join(TOP, 'package.json') ? { code: JSON.stringify({ version }), moduleType: 'json' } : null),
  }
}

async function collectorFiles(): Promise<string[]> {
  const names = await readdir(join(TOP, 'collectors'))
  return names.filter((name) => name.endsWith('.ts')).toSorted()
}

/** In the sources the collectors are what lies in a folder; here a table stands for the folder. */
function withCollectors(files: readonly string[]): Plugin {
  const registry = join(TOP, 'src/collect/registry.ts')
  const table = 'diagd:collectors'
  return {
    name: 'collectors',
    resolveId: (id) => (id === table ? table : null),
    load(id) {
      if (id !== table) return null
      const imports = files.map(
        (file, at) => `import * as c${at} from ${JSON.stringify(join(TOP, 'collectors', file))}`,
      )
      const rows = files.map((file, at) => `${JSON.stringify(file)}: c${at}`)
      return `${imports.join('\n')}\nexport default { ${rows.join(', ')} }`
    },
    transform(code, id) {
      if (id !== registry) return null
      const changed = replaceOnce(code, 'readdirSync(fileURLToPath(BUILT_IN))', 'Object.keys(BUILT_IN)')
      const taken = replaceOnce(changed, 'await import(new URL(file, BUILT_IN).href)', 'BUILT_IN[file]')
      return replaceOnce(taken, "new URL('../../collectors/', import.meta.url)", `(await import('${table}')).default`)
    },
  }
}

function replaceOnce(code: string, before: string, after: string): string {
  const parts = code.split(before)
  if (parts.length === 2) return parts.join(after)
  throw new Error(
    `src/collect/registry.ts finds its collectors in another way now, packaging/bundle.ts has to follow: ${before}`,
  )
}

/** `new URL('x-worker.ts', import.meta.url)` becomes an entry of its own, beside all others. */
function withWorkers(): Plugin {
  return {
    name: 'workers',
    transform(code, id) {
      if (!id.startsWith(join(TOP, 'src'))) return null
      return code.replaceAll(/new URL\('([\w./-]+-worker)\.ts', import\.meta\.url\)/g, (_, path: string) => {
        const fileName = `${basename(path)}.js`
        this.emitFile({ type: 'chunk', id: join(dirname(id), `${path}.ts`), fileName })
        return `new URL('${fileName}', import.meta.url)`
      })
    },
  }
}
