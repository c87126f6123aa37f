/** Images and their history, and the build cache, over the Engine API. */
import type { Engine, Kit } from '../../src/collector.ts'
import { inParallel } from './proc-text.ts'

/** What is used of one image in the answer to `GET /images/json`. */
export interface ListedImage {
  readonly Id: string
  readonly RepoTags?: readonly string[] | null
  readonly Labels?: Readonly<Record<string, string>> | null
  readonly Size?: number
  /** Epoch seconds. */
  readonly Created: number
}

interface Layer {
  readonly Created: number
  readonly CreatedBy?: string
  readonly Size: number
  readonly Comment?: string
  readonly Tags?: readonly string[] | null
}

/** Each costs a request; the caches and the newest come first. */
const mostHistories = 40
/** From this version on the build cache can be asked for alone, without a walk over every layer. */
const cacheApi = [1, 42] as const
const mostCacheEntries = 500

const isCacheTag = (tag: string): boolean => /:devcontainer-cache(?:-|$)|:[^:/]*\b(?:build)?cache\b/.test(tag)

export const cacheTags = ({ RepoTags }: ListedImage): string[] => (RepoTags ?? []).filter(isCacheTag)

/** Caches first, then what was built for a devcontainer, then the newest. */
export function ordered(images: readonly ListedImage[]): ListedImage[] {
  const rank = (image: ListedImage) => (cacheTags(image).length > 0 ? 0 : isDevcontainer(image) ? 1 : 2)
  return images.toSorted((a, b) => rank(a) - rank(b) || b.Created - a.Created)
}

/** The devcontainer CLI leaves what it built an image of in labels. */
export const isDevcontainer = ({ Labels }: ListedImage): boolean =>
  Object.keys(Labels ?? {}).some((name) => name.startsWith('devcontainer.'))

/** How each image was made, step by step, the last step first, as the engine tells it. */
export async function imageHistories(kit: Kit, engine: Engine) {
  const images = ordered((await engine.get('/images/json')) as ListedImage[])
  const histories = await inParallel(images.slice(0, mostHistories), 2, kit.signal, async (image) => {
    const { Id: id, RepoTags: tags, Size: sizeBytes, Created } = image
    const facts = { id, tags: tags ?? [], sizeBytes: sizeBytes ?? null, created: iso(Created) }
    try {
      const layers = (await engine.get(`/images/${id}/history`)) as Layer[]
      return { ...facts, history: layers.map(step) }
    } catch (error) {
      return { ...facts, problem: error instanceof Error ? error.message : String(error) }
    }
  })
  return { images: histories, leftOut: Math.max(0, images.length - mostHistories) }
}

/** Newest use first. Older engines answer with everything that `/system/df` walks over: they are not asked. */
export async function buildCache(engine: Engine) {
  const { ApiVersion = '' } = (await engine.get('/version')) as { ApiVersion?: string }
  const [major = 0, minor = 0] = ApiVersion.split('.').map(Number)
  if (engine.kind !== 'docker' || major < cacheApi[0] || (major === cacheApi[0] && minor < cacheApi[1])) {
    const why = `API ${ApiVersion} cannot be asked for the build cache alone: the collector docker-usage asks for all`
    return { asked: false, why }
  }
  const { BuildCache } = (await engine.get('/system/df?type=build-cache')) as { BuildCache?: CacheEntry[] | null }
  const entries = BuildCache ?? []
  const size = (some: readonly CacheEntry[]) => some.reduce((sum, { Size }) => sum + Size, 0)
  const lastUse = ({ LastUsedAt, CreatedAt }: CacheEntry) => Date.parse(LastUsedAt ?? CreatedAt ?? '') || 0
  return {
    asked: true,
    entries: entries.length,
    sizeBytes: size(entries),
    // What is shared with an image stays when the cache is pruned.
    reclaimableBytes: size(entries.filter(({ InUse, Shared }) => !InUse && !Shared)),
    leftOut: Math.max(0, entries.length - mostCacheEntries),
    newest: entries.toSorted((a, b) => lastUse(b) - lastUse(a)).slice(0, mostCacheEntries),
  }
}

interface CacheEntry {
  readonly Size: number
  readonly InUse?: boolean
  readonly Shared?: boolean
  readonly CreatedAt?: string
  readonly LastUsedAt?: string | null
}

const step = ({ Created, CreatedBy, Size, Comment, Tags }: Layer) => ({
  created: iso(Created),
  createdBy: CreatedBy ?? '',
  sizeBytes: Size,
  ...(Comment && { comment: Comment }),
  ...(Tags?.length && { tags: Tags }),
})

const iso = (epochSeconds: number): string => new Date(epochSeconds * 1000).toISOString()
