/**
 * A test machine: systemd as the first process of a root file system of its own, with a network, control groups and
 * process ids of its own, in 2 s. Not a real kernel of its own: log of the kernel and uptime are the host's.
 *
 *     const vm = await createVm({ userData: '#cloud-config\n…' })
 *     await vm.boot()
 *     await vm.sh('systemctl is-active docker')
 */
import { execa, type ResultPromise } from 'execa'
import { createMachine } from './machine.ts'
import { insideOf, outsideOf } from './network.ts'
import { startNspawn, type Running } from './nspawn.ts'
import { childrenOf } from './processes.ts'
import { prepareRoot, type RootOptions } from './prepare.ts'

export interface Vm {
  readonly name: string
  /** Starts it and waits until all units are up; `degraded` when some of them failed. */
  boot(): Promise<'running' | 'degraded'>
  /** Runs a command inside, as root, and gives its output; rejects with its stderr when it fails. */
  run(command: string, ...args: string[]): Promise<string>
  /** The same, byte for byte. */
  output(command: string, ...args: string[]): Promise<Buffer>
  /** Runs a command with that as its standard input. */
  feed(input: Buffer, command: string, ...args: string[]): Promise<void>
  /** As `run`, with a script of bash that ends at its first error. */
  sh(script: string): Promise<string>
  /** Runs a command that goes on and on until its output has that: an event, as it comes. */
  until(pattern: RegExp, command: string, ...args: string[]): Promise<void>
  /** Command of the host that is a login shell inside, for a terminal. */
  shell(): { readonly command: readonly string[]; readonly env: Readonly<Record<string, string>> }
  /** Starts a command inside whose output is read while it comes. */
  start(command: string, ...args: string[]): ResultPromise<typeof CLEAN>
  /** Runs a command of the host in the network of the machine, or at the other end of its cable. */
  fromNetwork(where: 'inside' | 'outside', command: readonly string[], input?: string): Promise<Buffer>
  /** Starts a command of the host at the other end of its cable; it goes on while the machine boots again. */
  startOutside(...command: string[]): ResultPromise<typeof ON_ITS_OWN>
  /** Asks it to boot again, and waits as `boot` does. */
  reboot(): Promise<'running' | 'degraded'>
  /** Ends all that runs in it, at once. What was written stays. */
  powerCut(): Promise<void>
  /** Shuts it down in order. */
  powerOff(): Promise<void>
  /** Takes it away, running or not. */
  remove(): Promise<void>
}

/** Its root is the one of the cache, which has to be there, under a layer of its own. */
export async function createVm(options: RootOptions = {}): Promise<Vm> {
  const machine = createMachine()
  let running: Running | undefined
  const alive = () => {
    if (!running) throw new Error(`${machine.name} does not run`)
    return running
  }
  const ended = async (): Promise<number | null> => {
    const code = await alive().ended
    running = undefined
    return code
  }
  const start: Vm['start'] = (command, ...args) => execa(NSENTER, [...into(alive().leader), command, ...args], CLEAN)
  const run: Vm['run'] = async (command, ...args) => (await start(command, ...args)).stdout
  const boot: Vm['boot'] = async () => {
    running = await startNspawn(machine)
    return running.booted
  }
  await prepareRoot(machine, options)
  return {
    name: machine.name,
    boot,
    start,
    run,
    shell: () => ({ command: [NSENTER, ...into(alive().leader), 'bash', '--login'], env: CLEAN.env }),
    until: async (pattern, command, ...args) => {
      const child = start(command, ...args)
      let heard = ''
      child.stdout.on('data', (chunk: Buffer) => {
        heard += chunk.toString('latin1')
        if (!pattern.test(heard)) return
        // nsenter waits for the command as its child, and takes no signal along.
        for (const pid of childrenOf(child.pid!)) process.kill(pid, 'SIGKILL')
      })
      const { message } = (await child.catch((error: unknown) => error)) as { message?: string }
      if (!pattern.test(heard)) throw new Error(`${command} ended without ${pattern.source}: ${message} ${heard}`)
    },
    output: async (...command) => {
      const options = { ...CLEAN, ...AS_IT_IS } as const
      return Buffer.from((await execa(NSENTER, [...into(alive().leader), ...command], options)).stdout)
    },
    feed: async (input, ...command) => {
      const { env, extendEnv } = CLEAN
      await execa(NSENTER, [...into(alive().leader), ...command], { env, extendEnv, input, stdout: 'ignore' })
    },
    sh: (script) => run('bash', '-euc', script),
    fromNetwork: async (where, command, input = '') => {
      const netns = where === 'inside' ? insideOf(machine.name) : outsideOf(machine.name)
      const options = { ...AS_IT_IS, input } as const
      const { stdout } = await execa(NSENTER, [`--net=${netns}`, ...command], options)
      return Buffer.from(stdout)
    },
    // Without a namespace of process ids nsenter becomes the command itself: a signal reaches it.
    startOutside: (...command) => execa(NSENTER, [`--net=${outsideOf(machine.name)}`, ...command], ON_ITS_OWN),
    reboot: async () => {
      // The command may end together with the machine.
      await start('systemctl', 'reboot').catch(() => {})
      const code = await ended()
      if (code !== REBOOT) throw new Error(`${machine.name} did not reboot, it ended with ${code}`)
      return boot()
    },
    powerCut: async () => {
      process.kill(alive().leader, 'SIGKILL')
      await ended()
    },
    powerOff: async () => {
      alive().powerOff()
      await ended()
    },
    remove: machine.remove,
  }
}

const NSENTER = '/usr/bin/nsenter'

/** How systemd-nspawn ends when the machine wants to be started again. */
const REBOOT = 133

const into = (leader: number) => [`--target=${leader}`, ...ALL_NAMESPACES, '--']
const ALL_NAMESPACES = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd']

/** An archive may end with what looks like a line break. */
const AS_IT_IS = { encoding: 'buffer', stripFinalNewline: false, maxBuffer: 2 ** 30 } as const

const ON_ITS_OWN = { reject: false, buffer: false, stderr: 'inherit' } as const

/** Nothing of the test's own environment is seen inside. */
const CLEAN = {
  env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' },
  extendEnv: false,
  stdin: 'ignore',
} as const
