/** Whether the machine waits for a reboot. No I/O. */

export interface RebootFacts {
  /** Debian's flag file, undefined when it is not there. */
  readonly flag: string | undefined
  /** The packages that asked for it, one a line. */
  readonly packages: string | undefined
  readonly runningKernel: string | undefined
  /** Kernels with modules on disk. */
  readonly installedKernels: readonly string[]
}

export function rebootText({ flag, packages, runningKernel, installedKernels }: RebootFacts): string {
  const asking = [...new Set((packages ?? '').split('\n').filter(Boolean))]
  const lines = [
    flag === undefined
      ? 'No package asks for a reboot (no /run/reboot-required).'
      : `A REBOOT IS PENDING, asked for by: ${asking.length > 0 ? asking.join(', ') : 'packages that are not named'}`,
    `Running kernel:    ${runningKernel ?? 'unknown'}`,
    `Installed kernels: ${installedKernels.length > 0 ? installedKernels.join(', ') : 'none found'}`,
  ]
  if (runningKernel !== undefined && installedKernels.length > 0 && !installedKernels.includes(runningKernel))
    lines.push('THE RUNNING KERNEL IS NO LONGER INSTALLED: its modules cannot be loaded any more until a reboot.')
  return `${lines.join('\n')}\n`
}
