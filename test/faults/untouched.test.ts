/** Look, don't touch: a bundle of the whole machine changes nothing on it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadRegistry } from '../../src/collect/registry.ts'
import { FIXED_PATH } from '../../src/sources/lookup.ts'
import { fakeCommand, temporaryFolder } from '../helpers/commands.ts'
import { makeBundle } from '../helpers/make-bundle.ts'

async function wholeMachine(path = FIXED_PATH) {
  const { collectors } = await loadRegistry('/nonexistent', process.geteuid!())
  return makeBundle({}, { deps: { collectors, path } })
}

/** What asking could change: loaded modules, mounts, units, tables of legacy iptables. */
function state(): Record<string, string> {
  const text = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')
  const units = spawnSync('systemctl', ['list-units', '--all', '--plain', '--no-legend', '--no-pager'])
  return {
    // A kernel without loadable modules has no /proc/modules, but this folder.
    modules: existsSync('/sys/module') ? readdirSync('/sys/module').sort().join('\n') : '',
    mounts: text('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => !line.includes('/diagd-'))
      .join('\n'),
    tables: text('/proc/net/ip_tables_names') + text('/proc/net/ip6_tables_names'),
    units: units.status === 0 ? units.stdout.toString().replaceAll(/^(\S+\s+\S+\s+\S+).*/gm, '$1') : '',
  }
}

test('before and after a bundle there are the same modules, mounts, tables and units', async () => {
  const before = state()
  const bundle = await wholeMachine()
  expect(bundle.manifest.complete).toBe(true)
  expect(state()).toEqual(before)
})

test('a `docker` on PATH is never run', async () => {
  const folder = temporaryFolder()
  const path = fakeCommand('docker', `touch ${folder}/was-run`)
  for (const name of ['dockerd', 'podman', 'containerd', 'nerdctl', 'ctr']) {
    const script = join(path.split(':')[0]!, name)
    writeFileSync(script, `#!/bin/sh\ntouch ${folder}/was-run\n`, { mode: 0o755 })
  }
  await wholeMachine(path)
  expect(existsSync(join(folder, 'was-run'))).toBe(false)
})

const hasStrace = spawnSync('strace', ['-V']).status === 0
if (!hasStrace && process.env.CI) throw new Error('this needs strace')

test.runIf(hasStrace)(`${hasStrace ? '' : 'SKIPPED: needs strace: '}no file of any file system is written`, () => {
  const folder = temporaryFolder()
  const trace = join(folder, 'trace')
  const calls =
    'openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,truncate,mknod,mknodat'
  const collect = [process.execPath, 'src/cli.ts', 'collect', '-o', '-']
  execFileSync('strace', ['-f', '-qq', '-e', `trace=${calls}`, '-o', trace, ...collect], {
    env: { PATH: FIXED_PATH, HOME: folder, DIAGD_CONFIG_DIR: folder, STATE_DIRECTORY: join(folder, 'state') },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const changes = readFileSync(trace, 'latin1')
    .split('\n')
    .filter((line) => !line.includes(' = -1 '))
    // The key of the mask is kept there, the first time.
    .filter((line) => !line.includes(join(folder, 'state')))
    .filter((line) => !/ open(?:at)?\(/.test(line) || /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(line))
    // Devices and /proc hold nobody's data.
    .filter((line) => /\("|, "/.test(line) && !/"\/(?:dev|proc)\//.test(line))
  expect(changes).toEqual([])
})
