/** The nodes and how to reach each, from one small file. A real control plane has a database here. */
import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

export interface Node {
  readonly id: string
  /** What people know it by in messages: the address as it was written. */
  readonly address: string
  readonly socketPath?: string
  readonly url?: URL
  /** What the control plane believes. It is shown, and never a reason not to ask. */
  readonly state: string
  readonly headerFile?: string
  readonly caFile?: string
}

export interface Fleet {
  readonly nodes: ReadonlyMap<string, Node>
  /** Names under which browsers reach the control plane, besides IP addresses and localhost. */
  readonly hosts: readonly string[]
}

/** @throws Error that names the key and what it accepts. */
export async function loadFleet(path: string): Promise<Fleet> {
  const read = fileSchema.safeParse(parse(await readFile(path, 'utf8')))
  if (!read.success) {
    const [issue] = read.error.issues
    throw new Error(`${path}: ${issue!.path.join('.') || 'the file'}: ${issue!.message}`)
  }
  const folder = dirname(path)
  const nodes = Object.entries(read.data.nodes).map(([id, { address, state, headerFile, caFile }]): [string, Node] => {
    const files = {
      ...(headerFile === undefined ? {} : { headerFile: resolve(folder, headerFile) }),
      ...(caFile === undefined ? {} : { caFile: resolve(folder, caFile) }),
    }
    const node = { id, state, ...addressed(address), ...files }
    if (headerFile !== undefined && goesInTheClear(node)) throw new Error(`${path}: nodes.${id}: ${IN_THE_CLEAR}`)
    return [id, node]
  })
  return { nodes: new Map(nodes), hosts: read.data.hosts }
}

/** Without a file: `ID=ADDRESS` each, for nodes that ask for no credential. */
export function fleetOf(pairs: readonly string[]): Fleet {
  const nodes = pairs.map((pair): [string, Node] => {
    const [, id = '', address = ''] = /^([^=]+)=(.+)$/.exec(pair) ?? []
    if (ID.test(id) && isAddress(address)) return [id, { id, state: 'unknown', ...addressed(address) }]
    throw new Error(`--node ${pair}: accepted: ID=ADDRESS, where an address is ${ADDRESSES}`)
  })
  return { nodes: new Map(nodes), hosts: [] }
}

function addressed(address: string): Pick<Node, 'address' | 'socketPath' | 'url'> {
  if (address.startsWith('unix:')) return { address, socketPath: address.slice('unix:'.length) }
  return { address, url: new URL(address) }
}

/** In an address, in a page, in a log: nothing to escape, nothing to be mistaken for a path. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

const ADDRESSES = 'unix:/path/of.sock, https://HOST:PORT or http://HOST:PORT'

const nodeSchema = z.strictObject({
  address: z.string().refine(isAddress, `accepted: ${ADDRESSES}`),
  state: z.string().max(64).default('unknown'),
  headerFile: z.string().optional(),
  caFile: z.string().optional(),
})

const NAMED = '1 to 63 letters, digits, ".", "_" and "-", a letter or digit first'

const fileSchema = z.strictObject({
  nodes: z.record(z.string().regex(ID), nodeSchema, {
    error: ({ code }) => (code === 'invalid_key' ? `is no id; accepted: ${NAMED}` : undefined),
  }),
  hosts: z.array(z.string().toLowerCase()).default([]),
})

function isAddress(text: string): boolean {
  if (text.startsWith('unix:')) return text.startsWith('unix:/')
  const url = URL.parse(text)
  // A credential in an address ends up in logs and in messages.
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
}

const IN_THE_CLEAR =
  'its credential would cross the network in the clear; accepted with a headerFile: https://, unix:, or http:// on loopback'

function goesInTheClear({ url }: Pick<Node, 'url'>): boolean {
  if (url?.protocol !== 'http:') return false
  const { hostname } = url
  return !(hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.')))
}
