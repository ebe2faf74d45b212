/*
 * Tokens of viewers and writers: JSON Web Tokens that say who the bearer is, on which documents, and
 * what is allowed there.
 *
 *     { "sub": "ada", "tenant": "acme", "documents": ["acme/match/*"],
 *       "allow": ["observe", "write"], "claims": { "plan": "premium" }, "exp": … }
 *
 * The algorithm follows from the key that this node was given, never from the token: a public key
 * cannot be turned into a shared secret by a header. Nothing here echoes a token.
 */
import { randomBytes } from 'node:crypto'
import { type GrantedAction, type Grants, limits } from '@fanfold/protocol'
import { errors, jwtVerify, SignJWT, UnsecuredJWT } from 'jose'
import { SharedLists } from './shared-lists.ts'
import { publishedKeys, signingKey, verificationKey } from './token-key.ts'
import { signedPayload } from './token-signature.ts'

/** How far the clocks of who made a token and of this node may be apart. */
export const clockLeewaySeconds = 30

/** A token is no longer than this; what is longer is not parsed. */
export const tokenBytesMax = 8_192

/** Globs in one token, each as long as a document key at most. */
export const documentGlobsMax = 64

/** A subject is no longer than this. */
export const subjectBytesMax = 255

/** Before a payload whose signature was verified already: jose then checks the claims alone. */
const unsecuredHead = Buffer.from('{"alg":"none"}').toString('base64url')

const noClaims: Readonly<Record<string, unknown>> = Object.freeze({})

const actions: readonly GrantedAction[] = ['observe', 'write', 'create', 'delete']

/** Why a token is refused; each is a stable value of a metric's label. */
export type TokenRefusal =
  | 'missing'
  | 'too-large'
  | 'malformed'
  | 'algorithm'
  | 'signature'
  | 'expired'
  | 'not-yet-valid'
  | 'audience'
  | 'issuer'
  | 'claims'
  | 'unknown-key'
  | 'keys-unavailable'

/** A token that is not accepted. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly code = 'FANFOLD_UNAUTHORIZED'
  readonly reason: TokenRefusal

  constructor(reason: TokenRefusal, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Which tokens are good: exactly one of `key` and `jwksUrl`. */
export type TokenVerifierOptions = {
  /** An Ed25519 public key as PEM or JWK, or a secret text for HS256. */
  readonly key?: string | undefined
  readonly jwksUrl?: string | undefined
  readonly audience?: string | undefined
  readonly issuer?: string | undefined
  /** Told of each token that is not accepted; for metrics. */
  readonly refused?: ((reason: TokenRefusal) => void) | undefined
  /** The wall's time, ms since 1970. */
  readonly wallClock?: () => number
}

/** Checks tokens. */
export interface TokenVerifier {
  /**
   * What the bearer of `token` may do.
   *
   * @throws TokenError when the token is not accepted, for whatever reason
   */
  verify(token: string): Promise<Grants>
}

/** Takes no token: of a node to which nobody shows one. */
export const noTokens: TokenVerifier = {
  verify: () =>
    Promise.reject(new TokenError('keys-unavailable', 'this node has nothing to check tokens by')),
}

/**
 * A verifier for one key, or for the keys that a URL publishes. Those are fetched with the first
 * token, again after ten minutes or for a key id that is new, and kept while the URL does not answer.
 *
 * @throws TypeError when the key is none
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { key, jwksUrl, audience, issuer, wallClock = Date.now, refused } = options
  if ((key === undefined) === (jwksUrl === undefined)) {
    throw new TypeError('tokens are checked with a key or with the keys of a URL: give one of them')
  }
  const source = key === undefined ? publishedKeys(new URL(jwksUrl ?? '')) : verificationKey(key)
  const checks = {
    algorithms: source.algorithms,
    clockTolerance: clockLeewaySeconds,
    ...(audience === undefined ? {} : { audience }),
    ...(issuer === undefined ? {} : { issuer }),
  }
  const verify = async (token: string): Promise<Grants> => {
    if (token === '') throw new TokenError('missing', 'there is no token')
    if (token.length > tokenBytesMax) {
      throw new TokenError(
        'too-large',
        `a token has at most ${tokenBytesMax} bytes, got ${token.length}`,
      )
    }
    const now = { ...checks, currentDate: new Date(wallClock()) }
    try {
      if (typeof source.key === 'function') {
        return grantsOf((await jwtVerify(token, source.key, now)).payload)
      }
      const signed = signedPayload(token, source.key, source.algorithms)
      // What is not plainly good is for jose to refuse, and to say why.
      const { payload } =
        signed === undefined
          ? await jwtVerify(token, source.key, now)
          : UnsecuredJWT.decode(`${unsecuredHead}.${signed}.`, now)
      return grantsOf(payload)
    } catch (error) {
      throw refusalOf(error)
    }
  }
  const globs = new SharedLists<string>()
  const actions = new SharedLists<GrantedAction>()
  return {
    async verify(token) {
      try {
        const grants = await verify(token)
        const { documents, allow } = grants
        return { ...grants, documents: globs.share(documents), allow: actions.share(allow) }
      } catch (error) {
        if (error instanceof TokenError) refused?.(error.reason)
        throw error
      }
    },
  }
}

/** What a token is to say. */
export type MintTokenOptions = {
  /** An Ed25519 private key as PEM or JWK, or a secret text for HS256. */
  readonly key: string
  readonly subject: string
  /** Globs over document keys: `*` stands for any characters but `/`, `**` for any. */
  readonly documents: readonly string[]
  readonly allow: readonly GrantedAction[]
  /** How long it is good from now on. */
  readonly ttlMs: number
  readonly tenant?: string | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  readonly audience?: string | undefined
  readonly issuer?: string | undefined
  /** The wall's time, ms since 1970. */
  readonly wallClock?: () => number
}

/**
 * A new token.
 *
 * @throws TypeError when the key is none that signs, TokenError when no node would accept what it says
 */
export async function mintToken(options: MintTokenOptions): Promise<string> {
  const { key, subject, documents, allow, ttlMs, tenant, claims, audience, issuer } = options
  const nowSeconds = Math.floor((options.wallClock ?? Date.now)() / 1000)
  const said = {
    sub: subject,
    documents: [...documents],
    allow: [...allow],
    ...(tenant === undefined ? {} : { tenant }),
    ...(claims === undefined ? {} : { claims }),
  }
  grantsOf(said)
  const { key: signer, algorithm } = signingKey(key)
  const token = new SignJWT(said)
    .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + Math.ceil(ttlMs / 1000))
  if (audience !== undefined) token.setAudience(audience)
  if (issuer !== undefined) token.setIssuer(issuer)
  return await token.sign(signer)
}

/** A secret for HS256 with 256 bits of chance, for development and single nodes. */
export const generateDevelopmentKey = (): string => randomBytes(32).toString('base64url')

function grantsOf(payload: Readonly<Record<string, unknown>>): Grants {
  const { sub, tenant, documents, allow, claims, exp } = payload
  const must = (holds: boolean, message: string): void => {
    if (!holds) throw new TokenError('claims', message)
  }
  must(
    typeof sub === 'string' && sub !== '' && Buffer.byteLength(sub) <= subjectBytesMax,
    `sub must be a text of 1 to ${subjectBytesMax} bytes`,
  )
  must(
    tenant === undefined || (typeof tenant === 'string' && tenant !== ''),
    'tenant must be a text',
  )
  must(
    isTextList(documents) &&
      documents.length <= documentGlobsMax &&
      documents.every(glob => glob !== '' && glob.length <= limits.keyBytesMax.value),
    `documents must be a list of up to ${documentGlobsMax} globs of up to ${limits.keyBytesMax.value} bytes`,
  )
  must(isTextList(allow) && allow.every(isAction), `allow must be a list of ${actions.join(', ')}`)
  must(claims === undefined || isObject(claims), 'claims must be an object')
  return {
    subject: String(sub),
    tenant: tenant === undefined ? undefined : String(tenant),
    documents: isTextList(documents) ? documents : [],
    allow: isTextList(allow) ? allow.filter(isAction) : [],
    expiresAtMs: typeof exp === 'number' ? (exp + clockLeewaySeconds) * 1000 : undefined,
    claims: isObject(claims) ? claims : noClaims,
  }
}

const isTextList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string')

const isAction = (text: string): text is GrantedAction => actions.some(action => action === text)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function refusalOf(error: unknown): TokenError {
  if (error instanceof TokenError) return error
  if (error instanceof errors.JWTExpired) return new TokenError('expired', 'the token has expired')
  if (error instanceof errors.JWTClaimValidationFailed) return claimRefusal(error.claim)
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new TokenError('algorithm', 'the token is signed with an algorithm that is not accepted')
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new TokenError('signature', 'the signature of the token is not of the key of this node')
  }
  if (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return new TokenError('unknown-key', 'the token names no key that is published')
  }
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) {
    return new TokenError('malformed', 'this is not a JSON Web Token')
  }
  if (error instanceof errors.JOSENotSupported) {
    return new TokenError('algorithm', 'the token is made in a way that is not supported')
  }
  return new TokenError('keys-unavailable', 'the keys of tokens cannot be had at the moment')
}

function claimRefusal(claim: string): TokenError {
  switch (claim) {
    case 'nbf':
      return new TokenError('not-yet-valid', 'the token is not valid yet')
    case 'aud':
      return new TokenError('audience', 'the token is for another audience')
    case 'iss':
      return new TokenError('issuer', 'the token is of another issuer')
    default:
      return new TokenError('claims', `the claim ${claim} of the token is not what it must be`)
  }
}
