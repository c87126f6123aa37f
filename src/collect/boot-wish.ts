/** What can be asked of the timeline of a boot, without what makes it: that is loaded when it is asked for. */

export const TIMELINE_FORMATS = ['json', 'txt', 'svg'] as const
export type TimelineFormat = (typeof TIMELINE_FORMATS)[number]

export interface TimelineWish {
  /** 0 is this boot, -1 the one before; or a boot id. */
  readonly boot: string | number
  readonly format: TimelineFormat
}

/** There is no such boot, as far as the journal goes. */
export class NoSuchBoot extends Error {
  override name = 'NoSuchBoot'
}
