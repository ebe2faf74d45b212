/** Where a client's token may stand in the request that opens a WebSocket, and where it may not. */
import type { IncomingMessage } from 'node:http'

/** A token longer than this, in bytes, is none of ours. */
export const tokenBytesMax = 8_192

const subprotocolPrefix = 'bearer.'
const urlParameters: ReadonlySet<string> = new Set(['token', 'access_token', 'bearer', 'jwt'])

/** The subprotocols a request offers, in order. */
export function offeredSubprotocols(request: IncomingMessage): readonly string[] {
  const header = request.headers['sec-websocket-protocol']
  return header === undefined ? [] : header.split(',').map(name => name.trim())
}

/** The token in the list of subprotocols (`bearer.<jwt>`) or the Authorization header, if any. */
export function tokenOf(request: IncomingMessage): string | undefined {
  for (const name of offeredSubprotocols(request)) {
    if (name.startsWith(subprotocolPrefix)) return name.slice(subprotocolPrefix.length)
  }
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** True when the query carries a token, which would end up in logs on its way. */
export function hasTokenInUrl(url: string): boolean {
  const at = url.indexOf('?')
  if (at === -1) return false
  for (const name of new URLSearchParams(url.slice(at + 1)).keys()) {
    if (urlParameters.has(name.toLowerCase())) return true
  }
  return false
}
