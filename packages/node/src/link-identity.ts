/*
 * Who a node is, to other nodes. The fleet's private key stays with the operator and signs a link
 * token for each node: its id, region, roles, trust ceiling, and its own public key. Whoever opens a
 * link shows the token and proves the key on what the other side chose at random; so a token that was
 * read on its way is of no use, and no node can say more of itself than the operator did.
 *
 * Two fleet keys are accepted, so that one can be replaced while nodes run.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { PeerIdentity } from '@fanfold/protocol'
import type { LinkAuthenticator } from '@fanfold/websocket'
import { errors, jwtVerify, SignJWT } from 'jose'

/** Keeps a link token from being taken for one of a viewer, which the same key might sign. */
const tokenType = 'fanfold-link+jwt'
const clockLeewaySeconds = 30
const roleNames: readonly string[] = ['authority', 'proxy', 'edge']
const textPattern = /^[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}$/
const publicKeyPattern = /^[A-Za-z0-9_-]{43}$/

/** An Ed25519 key pair, of a fleet or of a node. */
export type IdentityKey = {
  /** 43 characters of base64url: the 32 bytes of the key. */
  readonly publicKey: string
  /** PEM. */
  readonly privateKey: string
}

/** Why a link token is refused; each is a stable value of a metric's label. */
export type LinkRefusal = 'malformed' | 'signature' | 'expired' | 'claims' | 'proof'

/** A link token that is not accepted. */
export class LinkIdentityError extends Error {
  override readonly name = 'LinkIdentityError'
  readonly code = 'FANFOLD_BAD_TOKEN'
  readonly reason: LinkRefusal

  constructor(reason: LinkRefusal, message: string) {
    super(message)
    this.reason = reason
  }
}

/** A new key for a fleet, which signs link tokens. */
export const generateFleetKey = (): IdentityKey => generateIdentityKey()

/** A new key for a node, which proves that a link token is its own. */
export const generateNodeKey = (): IdentityKey => generateIdentityKey()

function generateIdentityKey(): IdentityKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return {
    publicKey: exportPublicKey(publicKey),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** What a link token is to say. */
export type MintLinkTokenOptions = {
  /** PEM. */
  readonly fleetPrivateKey: string
  /** 43 characters of base64url. */
  readonly nodePublicKey: string
  readonly node: string
  readonly region: string
  readonly roles: readonly string[]
  /** Highest tag of a part that may cross a link to the node, 0 to 255. */
  readonly ceiling: number
  readonly ttlMs: number
  /** The wall's time, ms since 1970. */
  readonly wallClock?: () => number
}

/**
 * A new link token.
 *
 * @throws TypeError when a key is none, LinkIdentityError when no node would accept what it says
 */
export async function mintLinkToken(options: MintLinkTokenOptions): Promise<string> {
  const { node, region, roles, ceiling, ttlMs, wallClock = Date.now } = options
  const fleetKey = parsePrivateKey(options.fleetPrivateKey)
  const nowSeconds = Math.floor(wallClock() / 1000)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: options.nodePublicKey }
  const said = { sub: node, region, roles: [...roles], ceiling, cnf: { jwk } }
  readClaims(said)
  return await new SignJWT(said)
    .setProtectedHeader({ alg: 'EdDSA', typ: tokenType })
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + Math.ceil(ttlMs / 1000))
    .sign(fleetKey)
}

/** Who this node is, and whose tokens it accepts. */
export type LinkAuthenticatorOptions = {
  readonly token: string
  /** PEM. */
  readonly privateKey: string
  /** One, or two while the first is being replaced; 43 characters of base64url each. */
  readonly fleetPublicKeys: readonly string[]
  /** Fresh at each start of the process. */
  readonly incarnation: string
  /** The wall's time, ms since 1970. */
  readonly wallClock?: () => number
}

/**
 * The identity of this node on links.
 *
 * @throws LinkIdentityError when the node's own token is one that it would not accept from another, or
 *   is not for its key; TypeError when a key is none
 */
export async function createLinkAuthenticator(
  options: LinkAuthenticatorOptions,
): Promise<LinkAuthenticator> {
  const { incarnation, wallClock = Date.now } = options
  const token = options.token.trim()
  const privateKey = parsePrivateKey(options.privateKey)
  if (options.fleetPublicKeys.length < 1 || options.fleetPublicKeys.length > 2) {
    throw new TypeError(`one or two fleet keys, got ${options.fleetPublicKeys.length}`)
  }
  const fleetKeys = options.fleetPublicKeys.map(parsePublicKey)
  const authenticator: LinkAuthenticator = {
    incarnation,
    token: () => token,
    sign: async bytes => sign(null, bytes, privateKey),
    verify: async shown => {
      const { identity, publicKey } = await verifyLinkToken(shown, fleetKeys, wallClock())
      return {
        identity,
        verifyProof: async (bytes, signature) => verify(null, bytes, publicKey, signature),
      }
    },
  }
  const own = await authenticator.verify(token)
  const probe = new TextEncoder().encode('fanfold: is this token of this key?')
  if (!(await own.verifyProof(probe, await authenticator.sign(probe)))) {
    throw new LinkIdentityError('proof', 'the link token is for another key than link.privateKey')
  }
  return authenticator
}

/**
 * What a link token says, once one of the fleet's keys has signed it.
 *
 * @throws LinkIdentityError when it is not good at `nowMs`
 */
export async function verifyLinkToken(
  token: string,
  fleetKeys: readonly KeyObject[],
  nowMs: number,
): Promise<{ identity: Omit<PeerIdentity, 'incarnation'>; publicKey: KeyObject }> {
  return readClaims(await verifyToken(token, fleetKeys, nowMs))
}

async function verifyToken(
  token: string,
  fleetKeys: readonly KeyObject[],
  nowMs: number,
): Promise<Readonly<Record<string, unknown>>> {
  let refusal = new LinkIdentityError('signature', 'the link token is not signed by this fleet')
  for (const key of fleetKeys) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['EdDSA', 'Ed25519'],
        typ: tokenType,
        clockTolerance: clockLeewaySeconds,
        currentDate: new Date(nowMs),
        requiredClaims: ['sub', 'exp'],
      })
      return payload
    } catch (error) {
      // The other key may have signed it; any other fault is a fault under every key.
      if (error instanceof errors.JWSSignatureVerificationFailed) continue
      refusal = refusalOf(error)
    }
  }
  throw refusal
}

function refusalOf(error: unknown): LinkIdentityError {
  if (error instanceof errors.JWTExpired) {
    return new LinkIdentityError('expired', 'the link token has expired')
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new LinkIdentityError(
      'claims',
      `the claim ${error.claim} of the link token is not right`,
    )
  }
  return new LinkIdentityError('malformed', 'this is not a link token')
}

function readClaims(claims: Readonly<Record<string, unknown>>): {
  identity: Omit<PeerIdentity, 'incarnation'>
  publicKey: KeyObject
} {
  const { sub, region, roles, ceiling, cnf } = claims
  const isText = (value: unknown): value is string =>
    typeof value === 'string' && textPattern.test(value)
  if (!isText(sub)) return badClaim('sub')
  if (!isText(region)) return badClaim('region')
  if (!isRoleList(roles)) return badClaim('roles')
  if (typeof ceiling !== 'number' || !Number.isInteger(ceiling) || ceiling < 0 || ceiling > 255) {
    return badClaim('ceiling')
  }
  const key = publicKeyOf(cnf)
  if (key === undefined) return badClaim('cnf')
  return { identity: { node: sub, region, roles, ceiling }, publicKey: parsePublicKey(key) }
}

function badClaim(claim: string): never {
  throw new LinkIdentityError('claims', `the claim ${claim} of the link token is not right`)
}

const isRoleList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every(role => roleNames.includes(role))

function publicKeyOf(confirmation: unknown): string | undefined {
  if (!isRecord(confirmation) || !isRecord(confirmation['jwk'])) return undefined
  const { kty, crv, x } = confirmation['jwk']
  const isEd25519 = kty === 'OKP' && crv === 'Ed25519'
  return isEd25519 && typeof x === 'string' && publicKeyPattern.test(x) ? x : undefined
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** @throws TypeError when `text` is no public key: 43 characters of base64url */
export function parsePublicKey(text: string): KeyObject {
  if (!publicKeyPattern.test(text)) {
    throw new TypeError(`an Ed25519 public key is 43 characters of base64url, got ${text.length}`)
  }
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' })
}

/** @throws TypeError when `text` is no PEM of an Ed25519 key */
export function parsePrivateKey(text: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch {
    // What the parser says may quote the key.
    throw new TypeError('the private key is not a PEM of a private key')
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new TypeError(`the private key must be Ed25519, is ${key.asymmetricKeyType}`)
}

const exportPublicKey = (key: KeyObject): string => key.export({ format: 'jwk' }).x ?? ''
