/** A mask that cannot be trusted lets nothing pass; one that can says so in the manifest. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { collector, makeBundle, testRedaction } from '../helpers/make-bundle.ts'

const secret = 'Zx81-quite-Telling'
const talks = collector(function* ({ text }) {
  yield text('a.log', () => `before ${secret} behind, password=hunter2\n`)
})

test('values of the files that the configuration names are masked wherever they appear', async () => {
  const deps = { redaction: { ...testRedaction(), values: () => Promise.resolve([secret]) } }
  const bundle = await makeBundle({ talks }, { deps })
  expect(bundle.text('talks/a.log')).toMatch(
    /^before <masked:live-value:[0-9a-f]{6}> behind, password=<masked:password:[0-9a-f]{6}>\n$/,
  )
  expect(bundle.row('talks/a.log')).toMatchObject({ maskedCount: 2, masked: { 'live-value': 1, password: 1 } })
  const { redaction } = bundle.manifest as unknown as { redaction: { selfTest: { planted: number; caught: number } } }
  expect(redaction).toMatchObject({ masked: true, liveValues: 1, selfTest: { missed: [] }, hits: { password: 1 } })
  expect(redaction.selfTest.caught).toBe(redaction.selfTest.planted)
  expect(redaction.selfTest.planted).toBeGreaterThan(50)
})

test('a file of secrets that cannot be read withholds every entry', async () => {
  const values = () => Promise.reject(new Error('/etc/app/secret cannot be read: EACCES'))
  const bundle = await makeBundle({ talks }, { deps: { redaction: { ...testRedaction(), values } } })
  expect(bundle.row('talks/a.log')).toMatchObject({ outcome: 'withheld', sizeBytes: 0 })
  expect(bundle.row('talks/a.log').detail).toContain('/etc/app/secret cannot be read: EACCES')
  expect(bundle.result.outcome).toBe('partial')
})

test('settings that cannot be understood make no bundle', async () => {
  const deps = { redaction: testRedaction('unknown') }
  await expect(makeBundle({ talks }, { deps })).rejects.toThrow('diagd check tells what is wrong')
})

test('content that is compressed is withheld', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-trust-'))
  try {
    // What a source can unpack it unpacks; this it cannot.
    await writeFile(join(folder, 'a.log'), Buffer.from('504b0304140000000800', 'hex'))
    const packed = collector(function* ({ file }) {
      yield file(join(folder, 'a.log'))
    })
    const bundle = await makeBundle({ packed })
    expect(bundle.row('packed/a.log')).toMatchObject({ outcome: 'withheld', sizeBytes: 0 })
    expect(bundle.row('packed/a.log').detail).toContain('is compressed')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('unmasked is loud in name, index and manifest', async () => {
  const bundle = await makeBundle({ talks }, { request: { unmasked: true } })
  expect(bundle.text('talks/a.log')).toContain(secret)
  expect(bundle.result.bundleId).toContain('debug-UNMASKED-test-node-')
  expect(JSON.parse(bundle.text('index.json'))).toMatchObject({ redaction: 'UNMASKED' })
  expect(bundle.manifest).toMatchObject({ redaction: { masked: false } })
})

test('pseudonyms: addresses and names go, the same for the same, and the bundle does not name the node', async () => {
  const net = collector(function* ({ text }) {
    yield text('net.txt', () => 'from 192.0.2.7 to 192.0.2.7 on test-node, mac 52:54:00:12:34:56, lo 127.0.0.1\n')
  })
  const bundle = await makeBundle({ net }, { parameters: { pseudonymize: '1' } })
  const [first, second] = [...bundle.text('net/net.txt').matchAll(/<masked:ip:(\w+)>/g)].map(([, token]) => token)
  expect(first).toBe(second)
  expect(bundle.text('net/net.txt')).toMatch(/on <masked:host:\w+>, mac <masked:mac:\w+>, lo 127\.0\.0\.1\n$/)
  expect(bundle.result.bundleId).not.toContain('test-node')
  expect(bundle.text('index.json')).not.toContain('test-node')
})

test('what a collector looks at is masked before it can cut a secret in two', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-trust-'))
  try {
    const line = `password=${secret}`
    await writeFile(join(folder, 'a.conf'), line)
    const shortens = collector(async function* ({ read, run, text }) {
      const seen = [await read(join(folder, 'a.conf')), (await run`echo ${line}`).stdout]
      // Behind the name that tells that it is one.
      yield text('seen.txt', () => seen.map((one) => one!.slice('password='.length)).join('\n'))
    })
    const bundle = await makeBundle({ shortens })
    expect(bundle.text('shortens/seen.txt')).toMatch(/^<masked:password:([0-9a-f]{6})>\n<masked:password:\1>\n$/)
    expect((await makeBundle({ shortens }, { request: { unmasked: true } })).text('shortens/seen.txt')).toContain(
      secret,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})
