/** Where the bundle differs from the sources, and why. */
import http from 'node:http'
import { basename, dirname, join } from 'node:path'
import type { Plugin } from 'rolldown'
import { TOP } from './places.ts'

/** The version of the release, which need not be that of package.json. */
export function withVersion(version: string): Plugin {
  return {
    name: 'version',
    load: (id) => (id === join(TOP, 'package.json') ? { code: JSON.stringify({ version }), moduleType: 'json' } : null),
  }
}

/** In the sources the collectors are what lies in a folder; here a table stands for the folder. */
export function withCollectors(files: readonly string[]): Plugin {
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
    `src/collect/registry.ts finds its collectors in another way now, packaging/bundle-plugins.ts has to follow: ${before}`,
  )
}

/** `new URL('x-worker.ts', import.meta.url)` becomes an entry of its own, beside all others. */
export function withWorkers(): Plugin {
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

/** Getters of node:http, each of which loads an HTTP client that nobody uses here (undici). */
const FROM_UNDICI = new Set(['WebSocket', 'CloseEvent', 'MessageEvent', 'EventSource'])

/** `import … from 'node:http'` reads every getter of that module, once: 30 ms and 3 MiB. So the module is asked for as require() does. */
export function withoutUndici(): Plugin {
  const name = 'diagd:http'
  return {
    name: 'without-undici',
    resolveId: (id, _importer, { kind }) => (id === 'node:http' && kind !== 'require-call' ? name : null),
    load(id) {
      if (id !== name) return null
      const names = Object.keys(http).filter((key) => !FROM_UNDICI.has(key))
      return `const http = process.getBuiltinModule('node:http')\nexport default http\nexport const { ${names.join(', ')} } = http`
    },
  }
}

/** What Fastify would load for JSON Schemas, which no route of ours has (src/http/app.ts), and for requests of tests. */
const UNUSED = new Set(['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'light-my-request'])

export function withoutUnused(): Plugin {
  const prefix = 'diagd:unused:'
  return {
    name: 'without-unused',
    resolveId: (id) => (UNUSED.has(id) ? prefix + id : null),
    load(id) {
      if (!id.startsWith(prefix)) return null
      return `throw new Error('the release of diagd comes without ${id.slice(prefix.length)}')`
    },
  }
}
