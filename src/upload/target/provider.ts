/** What differs between those who speak S3, as far as it changes what we send. docs/decisions/0016-uploads.md has the rest. */

export interface Provider {
  /** All parts but the last have to be of one size. */
  readonly equalParts: boolean
  /**
   * It takes `x-amz-checksum-crc32`, of the whole object too. Elsewhere some refuse requests that have it (the SDK sends it by default since 2025), and
   * the SHA-256 that every request is signed with says the same of each part.
   */
  readonly checksums: boolean
}

export function providerOf(endpoint: URL | undefined): Provider {
  const host = endpoint?.hostname ?? 's3.amazonaws.com'
  return {
    equalParts: host.endsWith('.r2.cloudflarestorage.com'),
    checksums: host.endsWith('.amazonaws.com') || host.endsWith('.amazonaws.com.cn'),
  }
}
