/** What people are told of tries, by the command, /health and events alike. */

/** `failed`, `failed 3 times` */
export function failedTimes(tries: number): string {
  return tries > 1 ? `failed ${tries} times` : 'failed'
}

/** `1 try`, `3 tries` */
export function countedTries(tries: number): string {
  return tries === 1 ? '1 try' : `${tries} tries`
}

/**
 * A part of a sentence. Who mended what was wrong at 3 a.m. does not want to wait for six hours, and need not.
 * @param nextTry ISO 8601; undefined: nobody knows.
 */
export function nextTryText(nextTry: string | undefined, { permanent }: { readonly permanent: boolean }): string {
  const when = `it is tried again at ${nextTry ?? 'some time'}`
  if (!permanent) return when
  return `${when}, or within half a minute of a restart of diagd or of another upload that arrives`
}
