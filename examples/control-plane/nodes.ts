/** The nodes and how to reach each, from one small file. A real control plane has a database here. */
import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { Problem } from './problems.ts'

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
  /** What the node shows when it wants to upload. Without it, it may not. */
  readonly uploadHeaderFile?: string
}

/** Where uploads go. */
export interface StorageSettings {
  readonly bucket: string
  /** Before the names of nodes; empty, or with a slash at its end. */
  readonly prefix: string
  /** Without it: AWS. */
  readonly endpoint?: string | undefined
  readonly region: string
  /** The bucket in the path, not in the name of the host. */
  readonly pathStyle: boolean
  /** JSON {accessKeyId, secretAccessKey}. Without it: the environment, or the role of the machine. */
  readonly credentialsFile?: string
  /** How something small goes, in one request. */
  readonly whole: 'put' | 'form'
}

export interface Fleet {
  readonly nodes: ReadonlyMap<string, Node>
  /** Names under which browsers reach the control plane, besides IP addresses and localhost. */
  readonly hosts: readonly string[]
  /** Without it no node may upload. */
  readonly storage?: StorageSettings
}

/** @throws Error that names the key and what it accepts. */
export async function loadFleet(path: string): Promise<Fleet> {
  const read = fileSchema.safeParse(parse(await readFile(path, 'utf8')))
  if (!read.success) {
    const [issue] = read.error.issues
    throw new Error(`${path}: ${issue!.path.join('.') || 'the file'}: ${issue!.message}`)
  }
  const folder = dirname(path)
  const nodes = Object.entries(read.data.nodes).map(([id, { address, state, ...given }]): [string, Node] => {
    const { headerFile } = given
    const files = resolved(folder, given)
    const node = { id, state, ...addressed(address), ...files }
    if (headerFile !== undefined && goesInTheClear(node)) throw new Error(`${path}: nodes.${id}: ${IN_THE_CLEAR}`)
    return [id, node]
  })
  const { hosts, storage } = read.data
  if (storage === undefined) return { nodes: new Map(nodes), hosts }
  const { credentialsFile, endpoint, pathStyle = endpoint !== undefined, ...more } = storage
  return {
    nodes: new Map(nodes),
    hosts,
    storage: { ...more, endpoint, pathStyle, ...resolved(folder, { credentialsFile }) },
  }
}

/** Files are looked for beside the nodes file. */
function resolved<Name extends string>(folder: string, files: Partial<Record<Name, string | undefined>>) {
  const given = Object.entries<string | undefined>(files).filter(
    (file): file is [Name, string] => file[1] !== undefined,
  )
  return Object.fromEntries(given.map(([name, path]) => [name, resolve(folder, path)])) as Partial<Record<Name, string>>
}

/** @throws Problem */
export function nodeOf(nodes: Fleet['nodes'], id: string): Node {
  const node = nodes.get(id)
  if (node) return node
  throw new Problem('node-unknown', `there is no node ${JSON.stringify(id.slice(0, 80))}`)
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
  uploadHeaderFile: z.string().optional(),
})

const storageSchema = z.strictObject({
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no name of a bucket'),
  prefix: z
    .string()
    .regex(
      /^(?:[\w-][\w.-]*\/)*$/,
      'is no prefix; accepted: parts of letters, digits, ".", "_" and "-", each with a "/" behind',
    )
    .default(''),
  endpoint: z.string().refine(isSafe, 'accepted: https://HOST:PORT, or http:// on loopback').optional(),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'is no region')
    .default('us-east-1'),
  pathStyle: z.boolean().optional(),
  credentialsFile: z.string().optional(),
  whole: z.enum(['put', 'form']).default('put'),
})

const NAMED = '1 to 63 letters, digits, ".", "_" and "-", a letter or digit first'

const fileSchema = z.strictObject({
  nodes: z.record(z.string().regex(ID), nodeSchema, {
    error: ({ code }) => (code === 'invalid_key' ? `is no id; accepted: ${NAMED}` : undefined),
  }),
  hosts: z.array(z.string().toLowerCase()).default([]),
  storage: storageSchema.optional(),
})

function isAddress(text: string): boolean {
  if (text.startsWith('unix:')) return text.startsWith('unix:/')
  const url = URL.parse(text)
  // A credential in an address ends up in logs and in messages.
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
}

const IN_THE_CLEAR =
  'its credential would cross the network in the clear; accepted with a headerFile: https://, unix:, or http:// on loopback'

/** Whoever sees a URL that is signed may write, and a bundle is everything that diagd knows. */
function isSafe(text: string): boolean {
  return isAddress(text) && !text.startsWith('unix:') && !goesInTheClear({ url: new URL(text) })
}

function goesInTheClear({ url }: Pick<Node, 'url'>): boolean {
  if (url?.protocol !== 'http:') return false
  const { hostname } = url
  return !(hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.')))
}
