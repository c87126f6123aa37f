/**
 * Instance data without what the mask cannot know: what cloud-init itself calls sensitive (`sensitive_keys`: paths joined
 * by `/`, or plain key names), and what may be anything in base64. The keys stay, so that their absence is no riddle.
 */
export function withoutSecrets(data: unknown): unknown {
  const named = isObject(data) && Array.isArray(data['sensitive_keys']) ? data['sensitive_keys'].map(String) : []
  return clean(data, '', new Set(named))
}

const dropped = 'dropped: may be secret'

/** User and vendor data (entries of their own) under every spelling, configuration merged from it, seeds, images of settings. */
const opaqueName =
  /(user|vendor|custom).?data|merged_(system_)?cfg|combined_cloud_config|credentials|chpasswd|random_seed|ovf.?env|ssh_keys/i

function clean(value: unknown, path: string, sensitive: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item, i) => clean(item, `${path}/${i}`, sensitive))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === 'sensitive_keys' && path === '') return [key, inner]
      const innerPath = path === '' ? key : `${path}/${key}`
      const opaque =
        sensitive.has(innerPath) || sensitive.has(key) || (opaqueName.test(key) && !key.startsWith('public'))
      return [key, opaque ? dropped : clean(inner, innerPath, sensitive)]
    }),
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
