import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { temporaryFolder } from '../helpers/archive.ts'

const FOLDER = join(import.meta.dirname, '../../cloud-init')
const userData = readFileSync(join(FOLDER, 'user-data.yaml'), 'utf8')
const vendorData = readFileSync(join(FOLDER, 'vendor-data'), 'utf8')

/** What stands between the two lines `END`. */
function installerIn(text: string): string {
  return /<<'END'\n(.*?\n)END\n/s.exec(text)![1]!
}

interface CloudConfig {
  readonly bootcmd: readonly (readonly string[])[]
  readonly runcmd: readonly (readonly string[])[]
}

const config = parse(userData) as CloudConfig
const [bootcmd] = config.bootcmd as readonly [readonly string[]]
const installer = installerIn(bootcmd.at(-1)!)

describe('the user-data', () => {
  test('is a cloud-config that installs once in bootcmd, and tries again in runcmd', () => {
    expect(userData).toMatch(/^#cloud-config\n/)
    expect(Object.keys(config)).toEqual(['bootcmd', 'runcmd'])
    expect(bootcmd.slice(0, -1)).toEqual(['cloud-init-per', 'once', 'diagd-install', '/bin/sh', '-c'])
    expect(bootcmd.at(-1)).toMatch(/\nsh \/run\/diagd-install\n$/)
    expect(config.runcmd).toEqual([['sh', '/run/diagd-install']])
  })

  test('says what its variables are, before anything else', () => {
    for (const [, name] of installer.matchAll(/^(DIAGD_\w+)=/gm))
      expect(userData).toMatch(new RegExp(`^#   ${name} {2,}\\w`, 'm'))
  })

  test.runIf(existsSync('/usr/bin/cloud-init'))('is what the schema of cloud-init wants', () => {
    const { status, stderr } = spawnSync('cloud-init', ['schema', '--config-file', join(FOLDER, 'user-data.yaml')])
    expect([status, stderr.toString()]).toEqual([0, ''])
  })

  test('the example of a step of one’s own is a plain string', () => {
    const line = userData.split('\n').find((each) => /# - .*my-app/.test(each))!
    expect(parse(line.replace('# ', ''))).toEqual([expect.stringContaining('PHASE START: my-app')])
  })
})

test('the vendor-data is a hook of shell with the same installer', () => {
  expect(vendorData).toMatch(/^#cloud-boothook\n#!\/bin\/sh\n/)
  expect(installerIn(vendorData)).toBe(installer)
  execFileSync('sh', ['-n'], { input: vendorData })
})

describe('the installer', () => {
  let folder: ReturnType<typeof temporaryFolder>
  beforeEach(() => {
    folder = temporaryFolder()
    command('logger', `printf '%s\\n' "$*" >>${folder.path}/journal`)
    command('dpkg', `printf '%s ' "$1" >>${folder.path}/installed; cat "$2" >>${folder.path}/installed`)
    writeFileSync(join(folder.path, 'package'), 'a package')
    // These and no others: diagd may be installed where the test runs.
    for (const name of ['cat', 'cp', 'curl', 'mktemp', 'rm', 'sha256sum'])
      symlinkSync(`/usr/bin/${name}`, join(folder.path, name))
  })
  afterEach(() => folder.remove())

  const command = (name: string, script: string) => {
    writeFileSync(join(folder.path, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder.path, name), 0o755)
  }
  const read = (name: string) => {
    const path = join(folder.path, name)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }
  const install = (settings: Record<'DIAGD_FILE' | 'DIAGD_URL' | 'DIAGD_SHA256', string>) => {
    let script = installer.replace(/PATH=\S+/, `PATH=${folder.path}`)
    for (const [name, value] of Object.entries(settings)) {
      script = script.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}='${value}'`)
    }
    const { status } = spawnSync('sh', { input: script, env: {} })
    const phases = read('journal')
      .split('\n')
      .filter((line) => line.includes('PHASE'))
    const said = read('journal')
      .split('\n')
      .filter((line) => line !== '' && !line.includes('PHASE'))
    return { status, phases, said, installed: read('installed') }
  }
  const url = () => `file://${folder.path}/package`
  const sha256 = createHash('sha256').update('a package').digest('hex')
  const PHASES = ['--tag diagd-install PHASE START: install-diagd', '--tag diagd-install PHASE END: install-diagd']

  test('takes the file that is there', () => {
    const settings = { DIAGD_FILE: join(folder.path, 'package'), DIAGD_URL: 'https://192.0.2.1/', DIAGD_SHA256: '' }
    expect(install(settings)).toEqual({ status: 0, phases: PHASES, said: [], installed: '--install a package' })
  })

  test('fetches what has the checksum', () => {
    const settings = { DIAGD_FILE: '', DIAGD_URL: url(), DIAGD_SHA256: sha256 }
    expect(install(settings)).toEqual({ status: 0, phases: PHASES, said: [], installed: '--install a package' })
  })

  test.each([
    ['another checksum', () => ({ DIAGD_URL: url(), DIAGD_SHA256: 'f'.repeat(64) }), /SHA-256 of file:\S+ is not/],
    ['no checksum', () => ({ DIAGD_URL: url(), DIAGD_SHA256: '' }), /SHA-256 of file:\S+ is not/],
    [
      'nothing there',
      () => ({ DIAGD_URL: `${url()}-not`, DIAGD_SHA256: sha256 }),
      /not fetched \(curl ended with 37\)/,
    ],
    [
      'no URL',
      () => ({ DIAGD_URL: '', DIAGD_SHA256: sha256 }),
      /there is no file '\/nonexistent', and DIAGD_URL is empty/,
    ],
  ])('installs nothing, says so and fails no boot: %s', (_, settings, said) => {
    const outcome = install({ DIAGD_FILE: '/nonexistent', ...settings() })
    expect(outcome).toMatchObject({ status: 0, phases: PHASES, installed: '' })
    expect(outcome.said).toEqual([expect.stringMatching(said), expect.stringContaining('diagd is not installed')])
  })

  test('does nothing where diagd is installed', () => {
    command('diagd', 'exit 0')
    const settings = { DIAGD_FILE: join(folder.path, 'package'), DIAGD_URL: '', DIAGD_SHA256: '' }
    expect(install(settings)).toEqual({ status: 0, phases: [], said: [], installed: '' })
  })
})
