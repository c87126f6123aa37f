/** A machine with something to find in every part, and secrets of every kind beside it. */
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { installingUserData } from './diagd.ts'
import { asFile, quoted, type Planted } from './plant.ts'
import type { RootOptions } from './prepare.ts'
import type { Vm } from './vm.ts'

export interface Facts {
  /** A word that is nowhere else. */
  readonly journal: string
  readonly cloudInit: string
  readonly container: string
}

export function newFacts(): Facts {
  const fact = (where: string) => `fact-of-${where}-${randomBytes(6).toString('hex')}`
  return { journal: fact('journal'), cloudInit: fact('cloud-init'), container: fact('container') }
}

/** What is there before it starts: the user-data of its owner, units, logs. */
export function sickRoot(planted: Planted, facts: Facts): RootOptions {
  return {
    userData: userData(planted, facts),
    copies: { '/opt/image/bin/busybox': '/bin/busybox' },
    files: {
      '/opt/plant/journal': asFile(planted.texts('journal')),
      '/opt/plant/container': asFile(planted.texts('container log')),
      '/opt/plant/label': asFile(planted.texts('container label')),
      '/opt/plant/environment': environment(planted.lines('container environment')),
      '/var/log/app/app.log': asFile(planted.texts('/var/log/app/app.log')),
      '/var/log/app/app.log.2.gz': gzipSync(asFile(planted.texts('/var/log/app/app.log.2.gz'))),
      [`/var/log/app/${planted.single('file name')}.log`.replace('k7', 'password=k7')]: 'nothing\n',
      '/etc/systemd/system/broken.service': unit('/bin/false', planted),
    },
  }
}

/** A file for each: in a text of many kinds cloud-init writes line breaks as escapes, and folds it anywhere. */
function userData(planted: Planted, { cloudInit }: Facts): string {
  const files = planted.texts('user-data').map(
    (text, at) => `  - path: /opt/from-user-data/${at}
    content: |
${text.replaceAll(/^/gm, '      ')}
`,
  )
  return installingUserData(
    [`[echo, ${cloudInit}]`, `[sh, -c, "echo token=${planted.single('output of cloud-init')}"]`],
    `write_files:\n${files.join('')}`,
  )
}

const unit = (command: string, planted: Planted) => `[Unit]
Description=Fails, and says so
[Service]
Environment=DB_PASSWORD=${planted.single('environment of a unit')}
ExecStart=${command} --api-token ${planted.single('arguments of a unit')}
`

/** For `docker run --env-file`. */
const environment = (lines: readonly string[]) => lines.map((line, at) => `NOTE_${at}=${line}\n`).join('')

/** What happens on it. */
export async function fallSick(vm: Vm, planted: Planted, facts: Facts): Promise<void> {
  await vm.sh(`echo ${facts.journal} | systemd-cat -t app; systemd-cat -t app </opt/plant/journal`)
  await vm.sh('systemctl start broken.service || true')
  await firewall(vm, planted)
  await processes(vm, planted)
  await containers(vm, planted, facts)
}

/** A comment of nftables has at most 128 bytes, and no quotation mark. */
const SHORT = /^[^"]{1,100}$/

async function firewall(vm: Vm, planted: Planted): Promise<void> {
  const rules = [`token=${planted.single('nft comment')}`, ...planted.lines('nft comment', SHORT)].map(
    (text) => `add rule inet planted input tcp dport 7777 counter accept comment "${text}"`,
  )
  const nft = ['add table inet planted', 'add chain inet planted input', ...rules]
  await vm.sh(nft.map((line) => `nft ${quoted(line)}`).join('\n'))
  const comments = [`password=${planted.single('iptables comment')}`, ...planted.lines('iptables comment', SHORT)]
  const iptables = comments.map(
    (text) => `iptables -A PLANTED -p tcp --dport 7777 -m comment --comment ${quoted(text)}`,
  )
  await vm.sh(['iptables -N PLANTED', ...iptables].join('\n'))
}

/** bash keeps what it was given as long as it waits itself. */
async function processes(vm: Vm, planted: Planted): Promise<void> {
  const single = (where: string) => planted.single(`argument of a process: ${where}`)
  const named = ['--password', single('after its name'), `--db-secret=${single('in a flag')}`]
  const args = [...named, ...planted.lines('argument of a process')].map(quoted).join(' ')
  await vm.sh(`mkfifo /run/never
systemd-run --quiet --unit=secretive bash -c 'read line </run/never' app ${args}`)
}

async function containers(vm: Vm, planted: Planted, { container }: Facts): Promise<void> {
  const live = planted.single('value of a container, in its log without a name')
  const secret = (where: string) => planted.single(`container ${where}`)
  const started = [
    'docker run --detach --init --name web --memory 64m --volume /opt/plant:/plant:ro --env-file /opt/plant/environment',
    `--env DB_PASSWORD=${secret('environment')} --env SESSION_SECRET=${live} --label "note=$(cat /opt/plant/label)"`,
    `busybox sh -c 'cat /plant/container; echo "connected with ${live}"; echo ${container}; sleep 1000000'`,
    `app --password ${secret('argument')} --api-token=${secret('flag')}`,
  ]
  await vm.sh(`ln -s busybox /opt/image/bin/sh
for name in cat echo sleep; do ln -s busybox /opt/image/bin/$name; done
tar -C /opt/image -c . | docker import - busybox
${started.join(' ')}
docker run --name dead busybox sh -c 'echo its last words; exit 3' || true
docker run --detach --restart always --name again busybox sh -c 'echo and again; exit 1'`)
  // It has died and come back: three times.
  await vm.until(/(?:die[^]*){3}/, 'docker', 'events', '--since=0', '--filter=container=again', '--filter=event=die')
  await vm.until(new RegExp(container), 'docker', 'logs', '--follow', 'web')
}
