/** Where a bundle lies: `<prefix><node>/<date>/<name>`. A pure function of the node that its credential tells and the name, so a node cannot say another's. */

/** What diagd calls a bundle. Nothing in it is a path, nothing has to be escaped. */
export const BUNDLE_NAME = /^debug-[\w.-]{1,160}-\d{8}T\d{6}Z-[0-9a-f]{6}\.tar(?:\.gz|\.zst)?(?:\.age)?$/

export function keyOf(prefix: string, node: string, name: string): string {
  return `${prefix}${node}/${timeIn(name).slice(0, 10)}/${name}`
}

/** When it was begun, as its name says: ISO 8601. */
export function timeIn(name: string): string {
  const [time = ''] = /\d{8}T\d{6}Z(?=-[0-9a-f]{6}\.tar)/.exec(name) ?? []
  return time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
}
