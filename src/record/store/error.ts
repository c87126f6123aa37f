/** Why the store did not do what was asked. */
export type StoreErrorCode = 'invalid' | 'busy' | 'paused' | 'off' | 'closed' | 'failed'

export class EventStoreError extends Error {
  readonly code: StoreErrorCode
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EventStoreError'
    this.code = code
  }
}
