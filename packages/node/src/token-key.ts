/*
 * Keys of viewers' tokens. What a key is says which algorithm goes with it: a structured text is an
 * Ed25519 key and never a secret, any other text is a secret and never a public key.
 */
import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type JsonWebKeyInput,
  type KeyObject,
} from 'node:crypto'
import {
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose'

/** Algorithms of published keys; none of them has a shared secret. */
const publishedAlgorithms = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'RS256', 'PS256']
const jwksTimeoutMs = 5_000
const jwksCooldownMs = 30_000
const jwksAgeMaxMs = 600_000
const jwksBytesMax = 262_144
const secretCharactersMin = 32

/** A key, or where to find it for a token, and the algorithms it is good for. */
export type KeySource = { readonly key: KeyObject | JWTVerifyGetKey; readonly algorithms: string[] }

const isStructured = (key: string): boolean => key.startsWith('-----BEGIN') || key.startsWith('{')

/**
 * The key that tokens are checked with.
 *
 * @param text an Ed25519 key as PEM or JWK, of which the public half is taken, or a secret
 * @throws TypeError when it is none of these; the message does not quote it
 */
export function verificationKey(text: string): KeySource {
  const key = text.trim()
  if (!isStructured(key)) return { key: secretKey(key), algorithms: ['HS256'] }
  const parsed = parseKey(key, () => createPublicKey(keyInput(key)))
  return { key: parsed, algorithms: ['EdDSA', 'Ed25519'] }
}

/**
 * The key that tokens are made with.
 *
 * @param text an Ed25519 private key as PEM or JWK, or a secret
 * @throws TypeError when it is none of these; the message does not quote it
 */
export function signingKey(text: string): { key: KeyObject; algorithm: string } {
  const key = text.trim()
  if (!isStructured(key)) return { key: secretKey(key), algorithm: 'HS256' }
  return { key: parseKey(key, () => createPrivateKey(keyInput(key))), algorithm: 'EdDSA' }
}

function secretKey(text: string): KeyObject {
  if (text.length < secretCharactersMin) {
    throw new TypeError(
      `a secret for tokens has at least ${secretCharactersMin} characters, got ${text.length}`,
    )
  }
  return createSecretKey(text, 'utf8')
}

const keyInput = (key: string): string | JsonWebKeyInput =>
  key.startsWith('{') ? { key: JSON.parse(key), format: 'jwk' } : key

function parseKey(text: string, parse: () => KeyObject): KeyObject {
  let key: KeyObject
  try {
    key = parse()
  } catch {
    // What the parser says may quote the key.
    throw new TypeError(
      `the key of tokens is not a ${text.startsWith('{') ? 'JWK' : 'PEM'} of the kind needed`,
    )
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new TypeError(`the key of tokens must be Ed25519, is ${key.asymmetricKeyType}`)
  }
  return key
}

/** The keys that a URL publishes. */
export function publishedKeys(url: URL): KeySource {
  const key = createRemoteJWKSet(url, {
    timeoutDuration: jwksTimeoutMs,
    cooldownDuration: jwksCooldownMs,
    cacheMaxAge: jwksAgeMaxMs,
    [customFetch]: keepLatest(fetch),
  })
  return { key, algorithms: publishedAlgorithms }
}

/**
 * A fetch of published keys that answers with those of last time when the URL does not: it must not
 * send viewers away.
 */
export function keepLatest(fetchKeys: FetchImplementation): FetchImplementation {
  let latest: string | undefined
  return async (url, init) => {
    try {
      const response = await fetchKeys(url, init)
      const text = await response.text()
      if (response.status !== 200 || text.length > jwksBytesMax) {
        throw new Error(`keys of tokens: status ${response.status}, ${text.length} characters`)
      }
      latest = text
    } catch (error) {
      if (latest === undefined) throw error
    }
    return new Response(latest)
  }
}
