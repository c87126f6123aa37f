/** The group whose members may use the unix socket. */
import { lchown, readFile } from 'node:fs/promises'

/** Where there is one of this name, it gets the socket without being asked for. */
const OWN_GROUP = 'diagd'

/**
 * Gives the socket to the group.
 * @param group name or number; undefined means our own where it exists.
 * @throws Error when there is no such group, or we are not root.
 */
export async function giveToGroup(path: string, group: string | undefined, uid: number): Promise<void> {
  if (uid !== 0) {
    if (group !== undefined) throw new Error(`only root can give ${path} to the group ${group}`)
    return
  }
  const gid = await groupId(group ?? OWN_GROUP)
  if (gid !== undefined) await lchown(path, uid, gid)
  else if (group !== undefined) throw new Error(`there is no group ${group} in /etc/group; its number is accepted too`)
}

async function groupId(group: string): Promise<number | undefined> {
  if (/^\d+$/.test(group)) return Number(group)
  const groups = await readFile('/etc/group', 'utf8').catch(() => '')
  const line = groups.split('\n').find((each) => each.startsWith(`${group}:`))
  const gid = Number(line?.split(':')[2] || Number.NaN)
  return Number.isSafeInteger(gid) ? gid : undefined
}
