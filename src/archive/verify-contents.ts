/** The second half of verifying: what the bundle says of itself against what was in it. */
import { z } from 'zod'
import type { SeenFile } from './digest.ts'
import type { Contents } from './verify.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const crc32 = z.string().regex(/^[0-9a-f]{8}$/)
const segments = z.array(z.object({ sizeBytes: z.number(), sha256 }))
/** By its SHA-256, or by the sums of its segments. */
const sums = { sha256: sha256.optional(), crc32: crc32.optional(), segments: segments.optional() }
const listed = z
  .object({ path: z.string(), sizeBytes: z.number(), ...sums })
  .refine((file) => file.sha256 !== undefined || (file.crc32 !== undefined && file.segments !== undefined), {
    error: 'it has neither a SHA-256 nor the sums of its segments',
  })

/** The part of docs/schema/manifest.schema.json that verifying needs. */
const manifestSchema = z.object({
  schema: z.string(),
  bundleId: z.string(),
  complete: z.literal(true),
  outcome: z.string(),
  rows: z.array(
    z.object({
      path: z.string(),
      outcome: z.string(),
      sizeBytes: z.number(),
      ...sums,
      parts: z.array(listed).optional(),
      error: z.string().optional(),
    }),
  ),
  files: z.array(listed),
})

const indexSchema = z.object({ schema: z.string(), bundleId: z.string() })

type Manifest = z.infer<typeof manifestSchema>

/** The major version of the layout that this knows. */
const SCHEMA = /^diagd\.bundle\/1(\.|$)/

/** Adds what is wrong to the findings. @returns the outcome that the manifest tells. */
export function checkContents(contents: Contents, broken: boolean): string | undefined {
  checkOrder(contents, broken)
  const index = read(contents, 'index.json', indexSchema)
  if (index) checkIdentity(contents, 'index.json', index)
  const manifest = read(contents, 'manifest.json', manifestSchema)
  if (manifest) {
    checkIdentity(contents, 'manifest.json', manifest)
    checkFiles(contents, manifest)
    checkRows(contents, manifest)
  }
  checkSums(contents, new Set(manifest?.files.filter((file) => file.segments).map(({ path }) => path)))
  return manifest?.outcome
}

function checkOrder({ files, findings }: Contents, broken: boolean): void {
  const paths = [...files.keys()]
  if (paths.length > 0 && paths[0] !== 'index.json')
    findings.add('damaged', `index.json is not the first entry, ${paths[0]} is`)
  if (paths.length > 1 && paths[1] !== 'summary.txt')
    findings.add('damaged', `summary.txt is not the second entry, ${paths[1]} is`)
  if (broken) return
  if (!files.has('manifest.json')) findings.add('cut', 'manifest.json, the last entry, is missing')
  else if (paths.at(-1) !== 'manifest.json')
    findings.add('damaged', `manifest.json is not the last entry, ${paths.at(-1)} is`)
  if (!files.has('SHA256SUMS')) findings.add('damaged', 'SHA256SUMS is missing')
}

function read<T>({ files, documents, findings }: Contents, path: string, schema: z.ZodType<T>): T | undefined {
  if (!files.has(path)) return undefined
  const text = documents.get(path)
  if (text === undefined) {
    findings.addFile(path, 'is too large to be read')
    return undefined
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined
    const why = issue ? `${issue.path.join('.')}: ${issue.message}` : (error as Error).message
    findings.addFile(path, `is not what a bundle has there (${why})`)
    return undefined
  }
}

function checkIdentity(
  { topFolder, findings }: Contents,
  path: string,
  said: { schema: string; bundleId: string },
): void {
  if (!SCHEMA.test(said.schema))
    findings.add('damaged', `${path} has the schema ${said.schema}; this knows diagd.bundle/1`)
  if (said.bundleId !== topFolder)
    findings.add('damaged', `${path} is of the bundle ${said.bundleId}, the folder of ${topFolder}`)
}

/** `files` lists every file but manifest.json itself. */
function checkFiles({ files, findings }: Contents, manifest: Manifest): void {
  const listedPaths = new Set(manifest.files.map(({ path }) => path))
  for (const { path, ...expected } of manifest.files) {
    const seen = files.get(path)
    if (!seen) findings.addFile(path, 'is in manifest.json and missing from the archive')
    else compare(path, seen, expected, 'manifest.json', findings)
  }
  for (const path of files.keys()) {
    if (path !== 'manifest.json' && !listedPaths.has(path)) findings.addFile(path, 'is not listed in manifest.json')
  }
}

function compare(path: string, seen: SeenFile, expected: Sums, by: string, findings: Contents['findings']): void {
  const { sizeBytes, sha256, crc32, segments } = expected
  if (seen.sizeBytes !== sizeBytes) findings.addFile(path, `has ${seen.sizeBytes} bytes, ${sizeBytes} in ${by}`)
  else if (sha256 !== undefined && seen.sha256 !== sha256) findings.addFile(path, `has another SHA-256 than in ${by}`)
  else if (segments) compareSegments(path, seen, segments, by, findings)
  if (crc32 !== undefined && seen.crc32 !== crc32) findings.addFile(path, `has another CRC-32 than in ${by}`)
}

type Sums = Pick<z.infer<typeof listed>, 'sizeBytes' | 'sha256' | 'crc32' | 'segments'>

function compareSegments(
  path: string,
  seen: SeenFile,
  expected: z.infer<typeof segments>,
  by: string,
  findings: Contents['findings'],
): void {
  let at = 0
  for (const [index, { sizeBytes, sha256 }] of expected.entries()) {
    // Where nothing tells them apart, as in an archive that somebody packed again, the CRC-32 has to do.
    const found = seen.segments?.[index]
    if (found && (found.sizeBytes !== sizeBytes || found.sha256 !== sha256))
      return findings.addFile(path, `has another SHA-256 than in ${by} in its segment from byte ${at} on`)
    at += sizeBytes
  }
  if (at !== seen.sizeBytes) findings.addFile(path, `has ${seen.sizeBytes} bytes, its segments in ${by} ${at}`)
}

/** Rows tell the story of the files; what they name has to be there. */
function checkRows({ files, findings }: Contents, manifest: Manifest): void {
  for (const { path, parts, error, ...row } of manifest.rows) {
    if (error !== undefined && !files.has(error)) findings.addFile(error, `is missing; it explains ${path}`)
    for (const part of parts ?? []) {
      const seen = files.get(part.path)
      if (!seen) findings.addFile(part.path, `is missing; it is a part of ${path}`)
      else compare(part.path, seen, part, `the row of ${path}`, findings)
    }
    if (parts || (row.sha256 === undefined && row.segments === undefined)) continue
    const seen = files.get(path)
    if (!seen) findings.addFile(path, 'has a row in manifest.json and is missing from the archive')
    else compare(path, seen, row, 'its row of manifest.json', findings)
  }
}

const SUM_LINE = /^(?<escaped>\\?)(?<sha256>[0-9a-f]{64}) [ *](?<path>.+)$/

/** SHA256SUMS lists every file but itself, manifest.json, which comes after it, and those whose segments have the sums. */
function checkSums({ files, documents, findings }: Contents, bySegments: ReadonlySet<string>): void {
  const text = documents.get('SHA256SUMS')
  if (text === undefined) return
  const listedPaths = new Set(['SHA256SUMS', 'manifest.json'])
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const sum = SUM_LINE.exec(line)?.groups
    if (!sum) {
      findings.add('damaged', `SHA256SUMS has a line that is no checksum: ${JSON.stringify(line.slice(0, 100))}`)
      continue
    }
    const path = sum.escaped ? unescapeName(sum.path!) : sum.path!
    listedPaths.add(path)
    const seen = files.get(path)
    if (!seen) findings.addFile(path, 'is in SHA256SUMS and missing from the archive')
    else if (seen.sha256 !== sum.sha256) findings.addFile(path, 'has another SHA-256 than in SHA256SUMS')
  }
  for (const path of files.keys()) {
    if (!listedPaths.has(path) && !bySegments.has(path)) findings.addFile(path, 'is not listed in SHA256SUMS')
  }
}

/** The way sha256sum writes names with a backslash or a line break. */
function unescapeName(name: string): string {
  return name.replaceAll(/\\([\\nr])/g, (_, code: string) => ({ n: '\n', r: '\r' })[code] ?? '\\')
}
