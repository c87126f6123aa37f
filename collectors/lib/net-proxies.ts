/** Lines that set a proxy, out of files that may hold other secrets. No I/O. */

/** `path:line: text` for each line that sets a proxy. */
export function proxyLines(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    if (/^\s*[#;]/.test(line) || !/(?:https?|ftp|all|no|socks|rsync)_proxy/i.test(line)) return []
    return [`${path}:${index + 1}: ${proxyPart(line)}`]
  })
}

/** A line of Environment= may set other variables too: only those named like a proxy are shown. */
function proxyPart(line: string): string {
  const assigned = /^\s*(?:Default)?Environment=(.*)$/.exec(line)?.[1]
  if (assigned === undefined) return line.trim()
  const variables = [...assigned.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([variable]) => variable)
  return variables.filter((variable) => /_proxy=/i.test(variable)).join(' ')
}
