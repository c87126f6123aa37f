/** One line of `systemctl list-units --all --full --plain --no-legend`. */
export interface Unit {
  readonly name: string
  readonly load: string
  readonly active: string
  readonly sub: string
}

export function parseUnits(listUnits: string): Unit[] {
  return listUnits.split('\n').flatMap((line) => {
    const [name, load, active, sub] = line.trim().split(/\s+/)
    return name && load && active && sub ? [{ name, load, active, sub }] : []
  })
}

/** Failed for good, or waiting for the next restart: with `Restart=always` a unit may fail for ever and never be "failed". */
export const failedUnits = (units: readonly Unit[]): string[] =>
  units.filter(({ active, sub }) => active === 'failed' || sub.startsWith('auto-restart')).map(({ name }) => name)

/** What nearly every cloud VM lives or dies by. */
const wellKnown = /^(docker|containerd|podman|ssh|sshd|kubelet|cloud-[\w-]+)\.(service|socket|target)$/

/** The well-known units and the operator's, as far as they exist here. */
export function keyUnits(units: readonly Unit[], watched: readonly string[]): string[] {
  const wanted = new Set(watched.map((name) => (name.includes('.') ? name : `${name}.service`)))
  const existing = units.filter(({ load }) => load !== 'not-found').map(({ name }) => name)
  return existing.filter((name) => wellKnown.test(name) || wanted.has(name))
}
