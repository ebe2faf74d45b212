import { FanfoldError } from './fanfold-error.ts'

/** A server's address without a path of the protocol: `wss://host/edge/2`. */
export type Endpoint = string & { readonly unit: 'endpoint' }

/**
 * The endpoint that a URL names: `ws`, `wss`, `http` or `https`, with a path prefix or none; a path
 * that ends in `/v1/observe` or `/v1/write` is cut there.
 *
 * Returns `undefined` for anything else, and for a URL with a query, a fragment or credentials: a
 * token travels in the handshake, never in a URL.
 */
export function asEndpoint(text: string): Endpoint | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, host, pathname, search, hash, username, password } = new URL(text)
  const scheme = protocol.replace('http', 'ws')
  if (!/^wss?:$/.test(scheme) || `${search}${hash}${username}${password}` !== '') return undefined
  const prefix = pathname.replace(/\/v1\/(observe|write)\/?$/, '').replace(/\/+$/, '')
  return `${scheme}//${host}${prefix}` as Endpoint
}

/** @throws FanfoldError `FANFOLD_BAD_OPTION` when there is none, or one is no endpoint */
export function parseEndpoints(urls: string | readonly string[]): readonly Endpoint[] {
  const endpoints = (typeof urls === 'string' ? [urls] : urls).map(text => {
    const endpoint = asEndpoint(text)
    if (endpoint !== undefined) return endpoint
    throw new FanfoldError(
      'FANFOLD_BAD_OPTION',
      `a URL is ws, wss, http or https, without query and credentials, got ${text}`,
    )
  })
  if (endpoints.length > 0) return endpoints
  throw new FanfoldError('FANFOLD_BAD_OPTION', 'no URL')
}

/**
 * Where a server sends the client, or `undefined` when it may not go there: the token follows, so
 * no move leads from an encrypted connection to a plain one.
 */
export function asMoveTarget(to: string, home: readonly Endpoint[]): Endpoint | undefined {
  const endpoint = asEndpoint(to)
  if (endpoint === undefined || endpoint.startsWith('wss:')) return endpoint
  return home.every(one => one.startsWith('ws:')) ? endpoint : undefined
}
