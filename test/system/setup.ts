/** Gets what the system test needs: Debian packages, and the root file system of its machines. As root, on Debian. */
import { execa } from 'execa'
import { isRoot, missingPackages, OBJECT_STORAGE_COMMANDS, QEMU_COMMANDS } from './harness/needs.ts'
import { buildRoot, hasRoot, KERNEL } from './harness/rootfs.ts'

if (!isRoot()) throw new Error('the system test needs root: it installs Debian packages and starts machines')

const withQemu = process.argv[2] === 'qemu'
const more = withQemu ? QEMU_COMMANDS : OBJECT_STORAGE_COMMANDS
const packages = [...missingPackages(), ...missingPackages(more)]
if (packages.length > 0) {
  console.error(`installing ${packages.join(', ')}`)
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, stdout: 'ignore', stderr: 'inherit' } as const
  await execa('apt-get', ['update', '-qq'], options)
  await execa('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options)
}
const kernel = withQemu ? KERNEL : ''
if (!hasRoot(kernel))
  console.error('building the root file system of the test machines, 1 or 2 minutes, kept for the next time')
console.error(`root file system: ${await buildRoot(kernel)}`)
