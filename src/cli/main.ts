/** The command line, read by commander; each command is a module of its own, loaded when it is called. */
import { Command, CommanderError, Option } from 'commander'
import { UsageError } from '../collect/request.ts'
import { VERSION } from '../version.ts'
import type { CollectOptions } from './collect.ts'
import type { EventOptions } from './event.ts'
import { EXIT, say } from './io.ts'
import type { Io } from './io.ts'
import type { LogsOptions } from './logs.ts'
import type { CreateOptions } from './token.ts'
import type { UploadOptions } from './upload.ts'

/** @returns the exit code. */
export async function main(io: Io): Promise<number> {
  // A reader that went away (`diagd list | head`) is no reason for a stack trace; who waits for the write gets the error.
  io.stdout.on('error', () => {})
  io.stderr.on('error', () => {})
  let code: number = EXIT.whole
  const program = commands(io, (exitCode) => {
    code = exitCode
  })
  try {
    await program.parseAsync([...io.argv], { from: 'user' })
    return code
  } catch (error) {
    return explain(error, io)
  }
}

function explain(error: unknown, io: Io): number {
  // commander has said everything already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.whole : EXIT.usage
  if (error instanceof UsageError) {
    say(io, `diagd: --${error.message}`)
    return EXIT.usage
  }
  const { code, message } = error as NodeJS.ErrnoException
  if (code !== 'EPIPE') say(io, `diagd: ${message}`)
  return EXIT.failed
}

function commands(io: Io, exit: (code: number) => void): Command {
  const program = new Command('diagd')
    .description('The flight recorder of a cloud VM: everything about this machine as one streamed bundle.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .showHelpAfterError('(diagd --help shows what there is)')

  program
    .command('serve')
    .description('run the daemon: a bundle over HTTP, on a unix socket and on TCP')
    .action(async () => exit(await (await import('./serve.ts')).serve(io)))

  collectCommand(program).action(async (options: CollectOptions) =>
    exit(await (await import('./collect.ts')).collect(options, io)),
  )

  program
    .command('list')
    .description('show every collector, whether it can run here, and what it would read (nothing is collected)')
    .action(async () => exit(await (await import('./list.ts')).list(io)))

  program
    .command('verify')
    .description('tell a whole bundle from a cut or damaged one, offline')
    .argument('<file>', 'the bundle, or "-" for stdin')
    .option('--identity <file>', 'secret keys of age that open an encrypted bundle')
    .action(async (file: string, options: { identity?: string }) =>
      exit(await (await import('./verify.ts')).verify(file, options, io)),
    )

  program
    .command('redact')
    .description('mask what is secret in a text, as in a bundle; what was found is told on stderr')
    .argument('[file]', 'the text, or "-" for stdin', '-')
    .action(async (file: string) => exit(await (await import('./redact.ts')).redact(file, io)))

  program
    .command('check')
    .description('check the configuration and the drop-ins')
    .action(async () => exit(await (await import('./check.ts')).check(io)))

  logsCommand(program).action(async (options: LogsOptions) => exit(await (await import('./logs.ts')).logs(options, io)))

  eventCommand(program).action(async (type: string, options: EventOptions) =>
    exit(await (await import('./event.ts')).event(type, options, io)),
  )

  uploadCommand(program).action(async (options: UploadOptions) =>
    exit(await (await import('./upload.ts')).upload(options, io)),
  )

  tokenCommands(program, io, exit)
  return program
}

function collectCommand(program: Command): Command {
  const several = (value: string, before: string[] = []) => [...before, value]
  return program
    .command('collect')
    .description('make a bundle of this machine; needs no daemon')
    .option('-o, --output <file>', 'where to write it, "-" for stdout (default: ./<bundle id>.<format>)')
    .option('--only <ids>', 'these collectors alone, comma-separated', several)
    .option('--skip <ids>', 'all but these collectors, comma-separated', several)
    .option('--since <time>', 'start of the window: 2h (ago), 2026-01-31T12:00:00Z, @1767225600 (default: 24h)')
    .option('--until <time>', 'end of the window (default: now)')
    .option('--around <time>', 'the window is 30 minutes before to 30 minutes after')
    .option('--format <format>', 'tar.gz, tar.zst or tar (default: tar.gz)')
    .option('--compression <level>', '1 (fast) to 9 (small) (default: 6)')
    .option('--limits <limits>', 'none, or entry=64MiB,collector=256MiB,bundle=1GiB,command=60s,stall=15s,entries=4096')
    .option('--recipient <age1…>', 'encrypt to this public key of age; may be given several times', several)
    .option('--recipients-file <file>', 'encrypt to the public keys in this file, one a line')
    .addOption(new Option('--pseudonymize', 'addresses, host and user names become pseudonyms').preset('yes'))
    .option('--unmasked', 'mask nothing: passwords, keys and tokens go in as they are')
}

function logsCommand(program: Command): Command {
  const several = (value: string, before: string[] = []) => [...before, value]
  return program
    .command('logs')
    .description('show the logs of journal, cloud-init and containers as one, by time; needs no daemon')
    .option('-n, --lines <number>', 'the newest so many, at most 10000 (default: 1000; all with --since, 10 with -f)')
    .option('-f, --follow', 'go on with what comes')
    .option('--since <time>', 'from then on: 10m (ago), 2026-01-31T12:00:00Z, @1767225600')
    .option('--until <time>', 'up to then')
    .option('--level <level>', 'debug, info, warning, error or critical, and graver ones')
    .option('--unit <units>', 'lines of these units, comma-separated', several)
    .option('--container <names>', 'lines of these containers, by name or id, comma-separated', several)
    .option('--source <sources>', 'journal, cloud-init, container; comma-separated (default: all)', several)
    .option('--search <text>', 'lines with this text, whatever its case')
    .option('--json', 'one JSON object a line')
}

function eventCommand(program: Command): Command {
  return program
    .command('event')
    .description('tell the daemon of something that happens here: a step of provisioning, a deployment')
    .argument('<type>', 'what it is, from the general to the special: provision.docker-install')
    .option('--status <status>', 'started, finished or failed: with it, it becomes a step of the boot timeline')
    .option('--subject <text>', 'what it is about')
    .option('--message <text>', 'a sentence for people')
    .option('--level <level>', 'debug, info, warning, error or critical (default: info; error for what failed)')
    .option('--detail <json>', 'a JSON object, for programs')
    .option('--duration <time>', 'how long it took: 250ms, 1.5s, 90s, 5m, 2h')
    .option('--time <time>', 'when it was: 5m (ago), 2026-01-31T12:00:00Z, @1767225600 (default: now)')
    .option('--best-effort', 'exit with 0 also when no daemon takes it, for scripts with set -e')
}

function uploadCommand(program: Command): Command {
  const several = (value: string, before: string[] = []) => [...before, value]
  return program
    .command('upload')
    .description('have the daemon send a bundle to where the configuration says, or tell what became of those before')
    .option('--wait', 'until it is there, or somebody has to change something')
    .option('--timeout <time>', 'wait no longer than so: 30s, 10m, 2h; it goes on without')
    .option('--reason <text>', 'why, for people')
    .addOption(
      new Option('--trigger <trigger>', 'shutdown: a small one, at once, as often as the configuration allows')
        .choices(['request', 'shutdown'])
        .default('request'),
    )
    .option('--only <ids>', 'these collectors alone, comma-separated', several)
    .option('--skip <ids>', 'all but these collectors, comma-separated', several)
    .option('--since <time>', 'start of the window, as for collect')
    .option('--until <time>', 'end of the window (default: when it is made)')
    .option('--around <time>', 'the window is 30 minutes before to 30 minutes after')
    .option('--format <format>', 'tar.gz, tar.zst or tar')
    .option('--limits <limits>', 'as for collect: bundle=50MiB')
    .addOption(
      new Option('--list', 'ask for none: show those before, the newest first').conflicts(
        'wait timeout reason trigger only skip since until around format limits'.split(' '),
      ),
    )
    .option('--json', 'JSON, as GET /uploads has it')
}

function tokenCommands(program: Command, io: Io, exit: (code: number) => void): void {
  const token = program
    .command('token')
    .description('create, list and revoke tokens that open the TCP address')
    .helpCommand(false)
  token
    .command('create')
    .description('create a token, and write the header line for curl -H @FILE')
    .argument('<name>', 'what it is called in the log and by "revoke"')
    .option('--scopes <scopes>', 'what it is good for: bundle, read, write-events, upload (default: bundle,read)')
    .option('--expires <time>', 'how long: 30m, 12h, 90d, 52w (default: until it is revoked)')
    .option('-o, --output <file>', 'where to write the header line, "-" for stdout (default: ./<name>.header)')
    .option('--if-missing', 'leave it at that when there is a token of this name')
    .action(async (name: string, options: CreateOptions) =>
      exit(await (await import('./token.ts')).createToken(name, options, io)),
    )
  token
    .command('list')
    .description('show the tokens: name, scopes, creation, expiry')
    .action(async () => exit(await (await import('./token.ts')).listAll(io)))
  token
    .command('revoke')
    .description('take a token back; it opens nothing from the next request on')
    .argument('<name>', 'as it was created')
    .action(async (name: string) => exit(await (await import('./token.ts')).revokeToken(name, io)))
}
