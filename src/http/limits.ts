/** Limits of the doors. Who asks for a bundle sends a line and a few headers; more than this is not asking. */

export const HEADER_BYTES = 16 * 1024
export const HEADERS = 100
export const URL_BYTES = 8 * 1024
/** Who asks more often connects again, and is counted again. */
export const REQUESTS_PER_CONNECTION = 100

/** Each costs a descriptor and some memory. The unix socket has as many of its own. */
export const CONNECTIONS = 64
/** So that one stranger cannot take the places of all; not behind a proxy, where everybody has its address. */
export const CONNECTIONS_PER_ADDRESS = 16

export const TIMEOUTS = {
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 5000,
}
