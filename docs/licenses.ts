/** What a lockfile brings along: who is shipped under which licence, and what must not be among it. */

/** The part of package-lock.json (lockfileVersion 3) that is looked at. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly link?: boolean
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface Shipped {
  /** In the tree: node_modules/… */
  readonly path: string
  readonly name: string
  readonly version: string
  /** SPDX. */
  readonly license: string
  /** Asked for by diagd itself, not by one of the others. */
  readonly direct: boolean
  /** Need not be installed: made for another machine. */
  readonly optional: boolean
}

/** Permissive: to be passed on with their notices, and no more. */
const ALLOWED = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT'])

const REGISTRY = 'https://registry.npmjs.org/'

/** Everything but what only development needs, by name and version. */
export function shippedPackages({ packages }: Lock): Shipped[] {
  const own = packages['']!
  const direct = new Set(Object.keys({ ...own.dependencies, ...own.optionalDependencies }))
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version = '', license = 'none named', optional = false }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      return { path, name, version, license, optional, direct: path === `node_modules/${name}` && direct.has(name) }
    })
    .toSorted((a, b) => compare(a.name, b.name) || compare(a.version, b.version))
}

/** A sentence for each package that must not be there; also of those that only development needs, where it runs code. */
export function lockProblems(lock: Lock): string[] {
  const others = Object.entries(lock.packages).filter(([path]) => path !== '')
  const elsewhere = others.filter(([, { resolved = REGISTRY, integrity, link }]) => {
    return link || integrity === undefined || !resolved.startsWith(REGISTRY)
  })
  const running = others.filter(([, { hasInstallScript }]) => hasInstallScript)
  const refused = shippedPackages(lock).filter(({ license }) => !isAllowed(license))
  return [
    ...elsewhere.map(([path]) => `${path} does not come from the registry with a checksum`),
    ...running.map(([path]) => `${path} has an install script`),
    ...refused.map(({ path, license }) => `${path} has the licence "${license}"; accepted: ${[...ALLOWED].join(', ')}`),
  ]
}

/** An SPDX expression: of alternatives one is enough, of several at once each has to be allowed. */
function isAllowed(license: string): boolean {
  const alternatives = license.replaceAll(/[()]/g, '').split(' OR ')
  return alternatives.some((one) => one.split(' AND ').every((name) => ALLOWED.has(name)))
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
