import type { Collector } from '../src/collector.ts'
import { once } from './lib/proc-text.ts'
import { scanBlocked, scanCpuSince, scanProcesses, scanUsage } from './lib/proc-scan.ts'
import { blockedText, openFilesText, topText } from './lib/proc-top.ts'
import { processesJson, treeText } from './lib/proc-tree.ts'

/** Everything comes from /proc: `ps` would read the same files, and hang on the same processes. */
export default {
  title: 'Processes: the whole tree, top consumers, blocked ones, open files',
  tier: 'state',
  needs: { file: '/proc/stat' },
  async *collect(kit) {
    const scan = once(() => scanProcesses(kit))
    const usage = once(async () => scanUsage(kit, (await scan()).processes))

    yield kit.text('tree.txt', async () => treeText(await scan()))
    yield kit.text('blocked.txt', async () => {
      const found = await scan()
      return blockedText(found, await scanBlocked(kit, found.processes))
    })
    yield kit.text('open-files.txt', async () => {
      const [fileNr, pidMax, threadsMax] = await Promise.all(
        ['fs/file-nr', 'kernel/pid_max', 'kernel/threads-max'].map((name) => kit.read(`/proc/sys/${name}`)),
      )
      return openFilesText(await scan(), await usage(), { fileNr, pidMax, threadsMax })
    })
    yield kit.text('top.txt', async () => {
      const [found, used] = [await scan(), await usage()]
      // CPU time advances in steps of 10 ms: over less than a second the shares mean little.
      await kit.run`sleep 1`.catch(() => undefined)
      return topText(found, used, await scanCpuSince(kit, found))
    })
    yield kit.text('processes.json', async () => processesJson(await scan()))
  },
} satisfies Collector
