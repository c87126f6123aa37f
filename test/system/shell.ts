/** `npm run vm`: a shell on a fresh test machine with diagd installed. It is taken away when the shell ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { folderOfThisRun } from './harness/cache.ts'
import { createDiagdVm } from './harness/diagd.ts'
import { buildDeb } from './harness/global-setup.ts'
import { removeLeftovers } from './harness/machine.ts'
import { missing } from './harness/needs.ts'

const WELCOME = `
A machine with systemd, cloud-init, Docker and diagd, reachable from nowhere. It is gone when you leave this shell.

    systemctl status diagd                      diagd list
    diagd collect -o /root                      curl -fO -H @/etc/diagd/admin.header http://127.0.0.1:7433/debug-package -J
`

const absent = missing()
if (absent.length > 0) throw new Error(`needs ${absent.join(' and ')}; \`node test/system/setup.ts\` as root gets it`)
await removeLeftovers()
const folder = await folderOfThisRun('package')
try {
  console.error('building the package, starting the machine …')
  const vm = await createDiagdVm(await buildDeb(folder))
  try {
    await vm.boot()
    console.error(WELCOME)
    // Ctrl-C is for what runs in the shell.
    process.on('SIGINT', () => {})
    const { command, env } = vm.shell()
    const shell = spawn(command[0]!, command.slice(1), { stdio: 'inherit', env: { ...env, TERM: process.env['TERM'] } })
    await once(shell, 'exit')
  } finally {
    await vm.remove()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
