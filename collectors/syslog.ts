import type { Collector } from '../src/collector.ts'
import { isPlainLog, isOthersFolder } from './lib/syslog-names.ts'

export default {
  title: 'Plain logs under /var/log with their rotations: syslog, messages, auth.log, secure and those of services',
  tier: 'logs',
  async *collect(kit) {
    const names = await kit.list('/var/log')
    const logs = names.filter(isPlainLog).map((name) => `/var/log/${literally(name)}`)
    if (logs.length > 0) yield kit.logs(...logs)
    else yield kit.skipped('syslog', 'there is no plain log in /var/log, or it may not be listed')
    for (const name of names) {
      if (isOthersFolder(name) || (await kit.stat(`/var/log/${name}`))?.kind !== 'directory') continue
      const glob = `/var/log/${literally(name)}/**/*{.,_}log*`
      if ((await kit.glob(glob)).length > 0) yield kit.logs(glob).as(`${name}/`)
    }
  },
} satisfies Collector

/** A name as a glob that matches it. */
const literally = (name: string): string => name.replaceAll(/[*?[\]{}()!+@\\]/g, '?')
