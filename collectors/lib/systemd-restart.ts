import { type Properties, parseShow } from './systemd-show.ts'

/**
 * What a restart of a unit takes down with it. systemd passes a restart on to active units that are tied to the
 * unit by these properties, and from those to theirs (systemd.unit(5): Requires=, Requisite=, BindsTo=, PartOf=,
 * PropagatesStopTo= name the other end).
 */
const passesOn: Readonly<Record<string, string>> = {
  RequiredBy: 'Requires=',
  RequisiteOf: 'Requisite=',
  BoundBy: 'BindsTo=',
  ConsistsOf: 'PartOf=',
  PropagatesStopTo: 'StopPropagatedFrom=',
}

/** What to ask `systemctl show` for. */
export const restartProperties = ['Id', 'Names', 'ActiveState', 'KillMode', 'TriggeredBy', ...Object.keys(passesOn)]

export interface Consequence {
  readonly unit: string
  /** The unit it is tied to, and by what. */
  readonly because: string
}

/** Text for people: one paragraph per unit, those that take most with them first. */
export function restartReport(show: string, units: readonly string[]): string {
  const all = byName(show)
  const weight = (unit: string) => consequences(unit, all).length
  const paragraphs = units.toSorted((a, b) => weight(b) - weight(a)).map((unit) => paragraph(unit, all))
  return paragraphs.length === 0 ? 'None of the key units exists here.\n' : paragraphs.join('\n')
}

/** The active units that go down with `unit`, nearest first. */
export function restartConsequences(show: string, unit: string): Consequence[] {
  return consequences(unit, byName(show))
}

function paragraph(unit: string, all: ReadonlyMap<string, Properties>): string {
  const own = all.get(unit)
  const down = consequences(unit, all)
  const triggers = words(own?.['TriggeredBy']).filter((name) => active(all.get(name)))
  return [
    `${unit} (${own?.['ActiveState'] ?? 'not loaded'}): a restart ${down.length === 0 ? 'takes no other unit down' : 'also restarts'}`,
    ...down.map((consequence) => `  ${consequence.unit}: ${consequence.because}`),
    ...(triggers.length > 0 ? [`  a stop does not last: ${triggers.join(', ')} may start it again`] : []),
    ...(own?.['KillMode'] === 'process' ? ['  KillMode=process: its child processes live on'] : []),
    '',
  ].join('\n')
}

function consequences(unit: string, all: ReadonlyMap<string, Properties>): Consequence[] {
  const found = new Map<string, Consequence>()
  const queue = [unit]
  for (let current = queue.shift(); current !== undefined; current = queue.shift()) {
    for (const [property, setting] of Object.entries(passesOn)) {
      for (const alias of words(all.get(current)?.[property])) {
        const name = all.get(alias)?.['Id'] ?? alias
        if (name === unit || found.has(name) || !active(all.get(name))) continue
        found.set(name, { unit: name, because: `${setting}${current}` })
        queue.push(name)
      }
    }
  }
  return [...found.values()]
}

const active = (unit: Properties | undefined): boolean =>
  ['active', 'activating', 'reloading'].includes(unit?.['ActiveState'] ?? '')

/** By every name that the unit has. */
function byName(show: string): Map<string, Properties> {
  const units = new Map<string, Properties>()
  for (const properties of parseShow(show)) {
    for (const name of [...words(properties['Id']), ...words(properties['Names'])]) units.set(name, properties)
  }
  return units
}

const words = (list: string | undefined): string[] => (list ?? '').split(' ').filter((word) => word !== '')
