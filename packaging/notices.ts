/** The licences of everything in the release, in Debian's form: each package and its notice, as the licences ask. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shippedPackages, type Lock, type Shipped } from '../docs/licenses.ts'
import type { App } from './bundle.ts'
import { TOP } from './places.ts'
import type { Runtime } from './runtime.ts'

const NOTICE = /^(?:licen[cs]e|copying|notice)(?:[-.].*)?$/i

export async function notices(app: App, runtime: Runtime): Promise<string> {
  const lock = JSON.parse(await readFile(join(TOP, 'package-lock.json'), 'utf8')) as Lock
  const bundled = shippedPackages(lock).filter(({ path }) => app.packages.includes(path))
  const own = await readFile(join(TOP, 'LICENSE'), 'utf8')
  const parts = [
    section('diagd', 'Apache-2.0', own),
    section(`Node.js ${runtime.version} (/usr/lib/diagd/node)`, 'MIT', runtime.license),
    ...(await Promise.all(
      bundled.map(async (one) => section(`${one.name} ${one.version}`, one.license, await noticeOf(one))),
    )),
  ]
  return `What is in this package, and under which licence.\n\n${parts.join('\n')}`
}

function section(title: string, license: string, text: string): string {
  return `${'='.repeat(100)}\n${title}: ${license}\n${'='.repeat(100)}\n\n${text.trim()}\n`
}

/** Its files that are called so; a package without one says its licence and its authors in package.json. */
async function noticeOf({ path, license }: Shipped): Promise<string> {
  const folder = join(TOP, path)
  const names = (await readdir(folder)).filter((name) => NOTICE.test(name)).toSorted()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  if (texts.length > 0) return texts.join('\n')
  const { author } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { author?: unknown }
  const by = typeof author === 'string' ? author : ((author as { name?: string } | undefined)?.name ?? 'its authors')
  return `Copyright ${by}. ${license}, see /usr/share/common-licenses or https://spdx.org/licenses/${license}.html`
}
