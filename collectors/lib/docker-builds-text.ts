/** docker/builds.txt: what was pulled and pushed, with what failed first, and the images with the caches first. No I/O. */
import type { RecordedEvent } from '../../src/collector.ts'
import { cacheTags, isDevcontainer, ordered, type ListedImage } from './docker-images.ts'
import { isDenied, type Transfer } from './docker-log.ts'
import { bytes, oneLine, shortened, table, utc } from './proc-text.ts'

const mostRows = 200

export interface Builds {
  /** Or why they could not be asked for. */
  readonly images: readonly ListedImage[] | string
  readonly transfers: readonly Transfer[]
  /** Where `transfers` were read; undefined where no log was found. */
  readonly log: string | undefined
  /** What the engine told when it happened, newest first; or why nothing is recorded. */
  readonly events: readonly RecordedEvent[] | string
}

export function buildsText({ images, transfers, log, events }: Builds): string {
  const recorded = typeof events === 'string' ? [] : events
  const all = withEnds(transfers, recorded)
  const denied = all.filter(({ error }) => error !== undefined && isDenied(error))
  return [
    'Images that devcontainers are built from, caches first; what was pulled and pushed. Histories: image-history.json.\n',
    denied.map((transfer) => `! ${oneLine(deniedText(transfer))}\n`).join('') ||
      'No pull or push was denied, as far as the log tells.\n',
    `PULLS AND PUSHES THAT THE ENGINE LOGGED (${log ?? 'no log was found'})\n${transfersText(all)}`,
    `DONE, AS RECORDED\n${typeof events === 'string' ? `  ${events}\n` : eventsText(recorded)}`,
    `IMAGES\n${typeof images === 'string' ? `  ${images}\n` : imagesText(images)}`,
  ].join('\n')
}

function deniedText({ what, image, startedMs, endedMs, attempts, error }: Transfer): string {
  const which = image ?? 'of an image that a log without debug does not name'
  const tries = attempts > 1 ? ` after ${attempts} attempts` : ''
  return `${what} ${which} was denied${tries} in ${seconds(startedMs, endedMs)}, ${utc(endedMs)}: ${error}`
}

/** A transfer that worked leaves no line of its own: the engine's event is its end. */
function withEnds(transfers: readonly Transfer[], events: readonly RecordedEvent[]): Transfer[] {
  return transfers.map((transfer) => {
    const { what, image, error, startedMs } = transfer
    if (error !== undefined || image === undefined) return transfer
    const end = events.findLast(
      (event) => event.timeMs >= startedMs && event.type === `image.${what}` && refOf(event) === image,
    )
    return end ? { ...transfer, endedMs: end.timeMs } : transfer
  })
}

function transfersText(transfers: readonly Transfer[]): string {
  if (transfers.length === 0) return '  none: without debug an engine logs only those that fail\n'
  const rows = transfers
    .slice(-mostRows)
    .toReversed()
    .map(({ what, image, startedMs, endedMs, fromStart, attempts, error }) => [
      utc(startedMs),
      `${fromStart ? '' : '> '}${endedMs === startedMs && error === undefined ? 'not told' : seconds(startedMs, endedMs)}`,
      what,
      image ?? 'not named',
      attempts || '',
      shortened(error ?? '', 300),
    ])
  const cut = transfers.length - rows.length
  return (
    table(['BEGAN', '>TOOK', 'WHAT', 'IMAGE', '>TRIES', 'ERROR'], rows) +
    (cut > 0 ? `  … ${cut} older ones\n` : '') +
    '  ">": from its first failure on: a log without debug tells neither when one begins nor of which image it is.\n'
  )
}

function eventsText(events: readonly RecordedEvent[]): string {
  if (events.length === 0) return '  none\n'
  return table(
    ['TIME', 'WHAT', 'IMAGE'],
    events.slice(0, mostRows).map((event) => [utc(event.timeMs), event.type, refOf(event)]),
  )
}

function imagesText(images: readonly ListedImage[]): string {
  if (images.length === 0) return '  none\n'
  const rows = ordered(images)
    .slice(0, mostRows)
    .map((image) => [
      utc(image.Created * 1000),
      image.Size === undefined ? '?' : bytes(image.Size),
      cacheTags(image).length > 0 ? 'cache' : isDevcontainer(image) ? 'devcontainer' : '',
      image.Id.replace('sha256:', '').slice(0, 12),
      image.RepoTags?.join(' ') || 'no tag',
    ])
  const cut = images.length - rows.length
  return (
    table(['CREATED', '>SIZE', 'KIND', 'ID', 'TAGS'], rows) + (cut > 0 ? `  … ${cut} more: images.json has all\n` : '')
  )
}

/** Docker's events of pulls and pushes have the name without its tag, and as their id the name with it. */
function refOf({ subject, detail }: RecordedEvent): string {
  const id = detail?.['id']
  return typeof id === 'string' && !id.startsWith('sha256:') ? id : subject
}

const seconds = (fromMs: number, toMs: number): string => `${((toMs - fromMs) / 1000).toFixed(1)} s`
