/**
 * Two network namespaces and a cable between them: one for the machine, one for who looks at it from outside. Nothing of
 * it shows in the network of the host, so any number of machines can have the same addresses.
 */
import { existsSync } from 'node:fs'
import { execa } from 'execa'

export const VM_ADDRESS = '192.0.2.2'
export const OUTSIDE_ADDRESS = '192.0.2.1'

export const insideOf = (name: string) => `/run/netns/${name}`
export const outsideOf = (name: string) => `/run/netns/${name}-out`

/** For one run of the machine: of the one before, firewall rules would be left. Whoever is outside stays there, and what listens there goes on. */
export async function createNetwork(name: string): Promise<void> {
  const out = `${name}-out`
  const ip = (...args: string[]) => execa('ip', args)
  if (existsSync(outsideOf(name))) {
    // Its namespace may go much later than its name, and would keep the cable.
    await ip('-n', out, 'link', 'delete', 'cable')
    await ip('netns', 'delete', name)
  } else {
    await ip('netns', 'add', out)
  }
  await ip('netns', 'add', name)
  await ip('-n', out, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  for (const [netns, device, address] of [
    [name, 'eth0', VM_ADDRESS],
    [out, 'cable', OUTSIDE_ADDRESS],
  ] as const) {
    await ip('-n', netns, 'address', 'add', `${address}/24`, 'dev', device)
    for (const each of ['lo', device]) await ip('-n', netns, 'link', 'set', each, 'up')
  }
  await ip('-n', name, 'route', 'add', 'default', 'via', OUTSIDE_ADDRESS)
}

/** Whatever of it is there. The cable goes with its ends. */
export async function removeNetwork(name: string): Promise<void> {
  for (const netns of [name, `${name}-out`]) {
    if (existsSync(`/run/netns/${netns}`)) await execa('ip', ['netns', 'delete', netns])
  }
}
