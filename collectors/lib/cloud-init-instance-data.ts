/**
 * Instance data without what cloud-init itself calls sensitive (`sensitive_keys`: paths joined by `/`, or plain
 * key names), and without keys whose name says that they are. The keys stay, so that their absence is no riddle.
 */
export function withoutSecrets(data: unknown): unknown {
  const named = isObject(data) && Array.isArray(data['sensitive_keys']) ? data['sensitive_keys'].map(String) : []
  return clean(data, '', new Set(named))
}

const dropped = 'dropped: may be secret'

/** User and vendor data under every spelling, merged configuration made from it, credentials; public keys are none. */
const secretName =
  /(user|vendor|custom).?data|merged_(system_)?cfg|combined_cloud_config|passw|chpasswd|admin_pass|secret|token|credential|private.?key|random_seed|ovf.?env|ssh_keys/i

function clean(value: unknown, path: string, sensitive: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item, i) => clean(item, `${path}/${i}`, sensitive))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === 'sensitive_keys' && path === '') return [key, inner]
      const innerPath = path === '' ? key : `${path}/${key}`
      const secret =
        sensitive.has(innerPath) || sensitive.has(key) || (secretName.test(key) && !key.startsWith('public'))
      return [key, secret ? dropped : clean(inner, innerPath, sensitive)]
    }),
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
