/**
 * `npm run package`: the release, the same bytes in every run.
 *
 *     npm run package -- [--arch x64|arm64]… [--output FOLDER] [--version VERSION] [--fast]
 *
 * `--fast` compresses less, for who only wants to try it. Times are those of the last commit, or SOURCE_DATE_EPOCH (seconds).
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { bundleApp } from './bundle.ts'
import { debOf, DEBIAN_ARCH } from './deb.ts'
import { TOP } from './places.ts'
import { ARCHES, readRuntime, type Arch, type Runtime } from './runtime.ts'
import { sbomOf } from './sbom.ts'
import { tarballOf } from './tarball.ts'
import { treeOf } from './tree.ts'

interface Wish {
  readonly arches: readonly Arch[]
  readonly output: string
  readonly version: string
  readonly fast: boolean
}

interface Product {
  readonly name: string
  readonly content: Buffer
}

async function release({ arches, output, version, fast }: Wish): Promise<void> {
  const mtime = await sourceDate()
  const app = await bundleApp(version)
  const runtimes = new Map<Arch, Runtime>()
  const products: Product[] = []
  for (const arch of arches) {
    const runtime = await readRuntime(arch)
    runtimes.set(arch, runtime)
    const tree = await treeOf(app, runtime, arch)
    const top = `diagd-${version}-linux-${arch}`
    const [deb, tarball] = await Promise.all([
      debOf(tree, { version, arch, mtime, fast }),
      tarballOf(tree, top, { arch, mtime, fast }),
    ])
    products.push({ name: `diagd_${version}_${DEBIAN_ARCH[arch]}.deb`, content: deb })
    products.push({ name: `${top}.tar.gz`, content: tarball })
  }
  const bom = Buffer.from(await sbomOf(version, runtimes, mtime))
  products.push({ name: `diagd-${version}.cdx.json`, content: bom })
  await mkdir(output, { recursive: true })
  for (const { name, content } of [...products, sumsOf(products)]) {
    await writeFile(join(output, name), content)
    console.log(`${(content.length / 1e6).toFixed(1).padStart(6)} MB  ${join(output, name)}`)
  }
}

function sumsOf(products: readonly Product[]): Product {
  const lines = products.map(({ name, content }) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`)
  return { name: 'SHA256SUMS', content: Buffer.from(lines.toSorted().join('')) }
}

async function sourceDate(): Promise<Date> {
  const given = process.env.SOURCE_DATE_EPOCH
  const seconds = given ?? (await execa('git', ['log', '-1', '--format=%ct'], { cwd: TOP })).stdout
  if (/^\d{1,10}$/.test(seconds)) return new Date(Number(seconds) * 1000)
  throw new Error(`SOURCE_DATE_EPOCH is "${seconds}"; accepted: seconds since 1970`)
}

async function wishOf(args: readonly string[]): Promise<Wish> {
  const options = {
    arch: { type: 'string', multiple: true },
    output: { type: 'string', default: join(TOP, 'dist') },
    version: { type: 'string' },
    fast: { type: 'boolean', default: false },
  } as const
  const { values } = parseArgs({ args: [...args], options })
  const { arch = ARCHES, output, fast } = values
  const unknown = arch.find((name) => !ARCHES.some((known) => known === name))
  if (unknown !== undefined) throw new Error(`--arch: there is no "${unknown}"; accepted: ${ARCHES.join(', ')}`)
  const packageJson = JSON.parse(await readFile(join(TOP, 'package.json'), 'utf8')) as { version: string }
  const { version = packageJson.version } = values
  if (!/^\d+\.\d+\.\d+(?:[~+.][a-z\d.~+]*)?$/.test(version))
    throw new Error(`--version: "${version}" is no version; accepted: 1.2.3`)
  return { arches: arch as Arch[], output: resolve(output), version, fast }
}

await release(await wishOf(process.argv.slice(2)))
