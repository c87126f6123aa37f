import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { fleetOf, loadFleet } from '../../examples/control-plane/nodes.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { temporaryFolder } from '../helpers/commands.ts'
import { openNode } from '../helpers/control-plane.ts'
import { curl } from '../helpers/http.ts'

const top = fileURLToPath(new URL('../../', import.meta.url))

test('the nodes file that is shipped is understood', async () => {
  const { nodes, hosts } = await loadFleet(join(top, 'examples/control-plane/nodes.yaml'))
  expect([...nodes.values()]).toEqual([
    { id: 'here', address: 'unix:/run/diagd/diagd.sock', socketPath: '/run/diagd/diagd.sock', state: 'running' },
  ])
  expect(hosts).toEqual([])
})

test('files are looked for beside the nodes file', async () => {
  const file = join(temporaryFolder(), 'nodes.yaml')
  writeFileSync(file, 'nodes: { web: { address: "https://web:7433", headerFile: web.header, caFile: /etc/ca.pem } }')
  const { nodes } = await loadFleet(file)
  expect(nodes.get('web')).toMatchObject({
    headerFile: file.replace('nodes.yaml', 'web.header'),
    caFile: '/etc/ca.pem',
  })
})

test.each([
  ['{ bucket: evidence }', { region: 'us-east-1', prefix: '', whole: 'put', pathStyle: false }],
  [
    '{ bucket: evidence, prefix: a/b/, endpoint: "https://s3.example", region: auto, credentialsFile: s3.json, whole: form }',
    { prefix: 'a/b/', endpoint: 'https://s3.example', region: 'auto', pathStyle: true, whole: 'form' },
  ],
])('a storage that says %s', async (text, storage) => {
  const file = join(temporaryFolder(), 'nodes.yaml')
  writeFileSync(file, `{ nodes: { web: { address: "unix:/x", uploadHeaderFile: web.upload } }, storage: ${text} }`)
  const fleet = await loadFleet(file)
  expect(fleet.storage).toMatchObject({ bucket: 'evidence', ...storage })
  expect(fleet.storage!.credentialsFile).toBe(
    text.includes('s3.json') ? file.replace('nodes.yaml', 's3.json') : undefined,
  )
  expect(fleet.nodes.get('web')!.uploadHeaderFile).toBe(file.replace('nodes.yaml', 'web.upload'))
})

test.each([
  ['nodes: { web: { address: "ftp://web" } }', 'nodes.web.address: accepted: unix:/path/of.sock, https://HOST:PORT'],
  ['nodes: { web: { address: "https://me:secret@web" } }', 'nodes.web.address: accepted'],
  ['nodes: { "../web": { address: "unix:/x" } }', 'nodes.../web: is no id; accepted: 1 to 63 letters'],
  ['nodes: { web: { address: "unix:/x", token: abc } }', 'nodes.web: Unrecognized key: "token"'],
  ['nodes: { web: { address: "http://web:7433", headerFile: x } }', 'in the clear'],
  ['{}', 'nodes: '],
  ['{ nodes: {}, storage: { bucket: a/b } }', 'storage.bucket: is no name of a bucket'],
  ['{ nodes: {}, storage: { bucket: evidence, prefix: a } }', 'storage.prefix: is no prefix; accepted'],
  ['{ nodes: {}, storage: { bucket: evidence, prefix: ../ } }', 'storage.prefix: is no prefix; accepted'],
  [
    '{ nodes: {}, storage: { bucket: evidence, endpoint: "http://s3.example" } }',
    'storage.endpoint: accepted: https://',
  ],
  ['{ nodes: {}, storage: { bucket: evidence, endpoint: "unix:/x" } }', 'storage.endpoint: accepted: https://'],
])('%s is refused, and says why', async (text, message) => {
  const file = join(temporaryFolder(), 'nodes.yaml')
  writeFileSync(file, text)
  const refusal = await loadFleet(file).then(String, (error: Error) => error.message)
  expect(refusal).toContain(message)
  expect(refusal).not.toContain('secret')
})

test('a node on the command line', () => {
  expect(fleetOf(['web=http://127.0.0.1:7433']).nodes.get('web')?.url?.port).toBe('7433')
  expect(() => fleetOf(['web'])).toThrow('--node web: accepted: ID=ADDRESS')
})

test('the one command serves a bundle of the diagd beside it', async () => {
  const { socket } = await openNode()
  const [program, file] = packageJson.scripts['example:control-plane'].split(' ')
  expect(program).toBe('node')
  const child = spawn(process.execPath, [file!, '--port', '0', '--node', `here=unix:${socket}`], {
    cwd: top,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill())
  let address: string | undefined
  for await (const line of createInterface(child.stderr)) {
    address = /open (\S+)\/$/.exec(line)?.[1]
    if (address) break
  }
  expect((await curl('-f', `${address}/api/nodes/here/debug-package`)).stdout.toString()).toBe('bundle')
  child.kill()
  expect(await once(child, 'exit')).toEqual([0, null])
})
