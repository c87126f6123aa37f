/** Configuration of package sources without the logins in it. No I/O. */

/** Keys of apt.conf, yum and zypp whose value is a secret by itself. */
const SECRET_KEY = /^(\s*(?:proxy_|ssl_?)?(?:password|username|passwd|clientkey|client_key)\s*[=:]\s*).+$/gim
/** `https://user:password@host/`: a password may hold `/` or `@`, so all up to the last `@` of the word goes. */
const LOGIN = /([a-z0-9+.-]+:\/\/)[^\s"']*@/gi

export const withoutLogins = (text: string): string => text.replaceAll(SECRET_KEY, '$1***').replaceAll(LOGIN, '$1***@')
