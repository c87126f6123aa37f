/** The headers that every answer has, whoever in the process gives it. */

/** Evidence of one machine at one moment: stored by nobody, and passed on byte by byte as it comes. */
const ALWAYS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  // Nothing here is a page: no browser has to guess a type, run, frame, embed or mention it.
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
}

/** A day: it binds a whole host name, and other services of the machine may speak plain HTTP. */
const TRANSPORT = { 'strict-transport-security': 'max-age=86400' }

export function answerHeaders(overTls: boolean): Readonly<Record<string, string>> {
  return overTls ? { ...ALWAYS, ...TRANSPORT } : ALWAYS
}
