/** Who holds the lock of a package manager, from /proc/locks. No I/O. */

export interface LockFile {
  readonly path: string
  /** As `stat --format=%i %D %n` prints it: the device number in hexadecimal. */
  readonly inode: string
  readonly device: string
}

export interface Holder {
  readonly path: string
  /** 0 when it is in another PID namespace: a container or the host of one. */
  readonly pid: number
  /** The inode's number is the same and the device is not: overlay file systems name another one. */
  readonly deviceDiffers: boolean
}

export function parseStat(text: string): LockFile[] {
  return text.split('\n').flatMap((line) => {
    const [, inode, device, path] = /^(\d+) ([0-9a-f]+) (\/.*)$/.exec(line) ?? []
    return inode === undefined || device === undefined || path === undefined ? [] : [{ path, inode, device }]
  })
}

/** `1: POSIX  ADVISORY  WRITE 4711 fe:01:131 0 EOF`; lines with `->` wait for the lock. See proc(5). */
export function lockHolders(procLocks: string, files: readonly LockFile[]): Holder[] {
  const locks = procLocks.split('\n').flatMap((line) => {
    const [, pid, device, inode] = /^\d+: \w+\s+\S+\s+WRITE\s+(-?\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) /.exec(line) ?? []
    return device === undefined ? [] : [{ pid: Math.max(0, Number(pid)), device, inode }]
  })
  return files.flatMap((file) => {
    const same = locks.filter(({ inode }) => inode === file.inode)
    const exact = same.filter(({ device }) => device === majorMinor(file.device))
    return (exact.length > 0 ? exact : same).map(({ pid }) => ({
      path: file.path,
      pid,
      deviceDiffers: exact.length === 0,
    }))
  })
}

/** The way makedev(3) of glibc packs a device number, unpacked as /proc/locks prints it. */
function majorMinor(device: string): string {
  const number = Number.parseInt(device, 16)
  const major = (number >>> 8) & 0xfff
  const minor = (number & 0xff) | ((number >>> 12) & 0xfff00)
  const hex = (part: number): string => part.toString(16).padStart(2, '0')
  return `${hex(major)}:${hex(minor)}`
}
