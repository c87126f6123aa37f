/** Why the store did not do what was asked. */
export type StoreErrorCode = 'invalid' | 'busy' | 'paused' | 'off' | 'closed' | 'failed'

export class StoreError extends Error {
  readonly code: StoreErrorCode
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}
