/** Nothing is handed over, for what is secret is not known, or would get through. */
export class LogsWithheld extends Error {
  override name = 'LogsWithheld'
}
