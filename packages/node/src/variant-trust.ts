/*
 * Why an edge runs a text that came over the network: an authority of its own fleet has signed it.
 *
 * The authority signs the variant's type and hash with its node key and sends its link token along, so
 * that whoever knows the fleet's key can check both, however many nodes passed the variant on. When the
 * token ends is not looked at: it says who signed, and proxies may keep a variant for longer. A key
 * that must not be trusted any more goes with the fleet key that signed its token.
 */
import { type KeyObject, sign, verify } from 'node:crypto'
import { encodeUtf8, equalBytes, sha256Bytes } from '@fanfold/kernel'
import { type SignedVariant, variantSigningBytes } from '@fanfold/protocol'
import { decodeJwt } from 'jose'
import { parsePrivateKey, parsePublicKey, verifyLinkToken } from './link-identity.ts'
import { sha256 } from './sha256.ts'

/** Signs variants at an authority and checks them at an edge. */
export interface VariantTrust {
  /** The variant with the text `code`, signed. */
  sign(type: string, code: string): SignedVariant
  /** Rejects with VariantTrustError when the variant must not be run. */
  verify(variant: SignedVariant): Promise<void>
}

/** A variant that must not be run. */
export class VariantTrustError extends Error {
  override readonly name = 'VariantTrustError'
  readonly code = 'FANFOLD_BAD_TOKEN'
}

/**
 * The trust of a fleet.
 *
 * @throws TypeError when a key is none
 */
export function createVariantTrust(options: {
  /** This node's link token. */
  readonly token: string
  /** PEM of the key that the token names. */
  readonly privateKey: string
  /** 43 characters of base64url each. */
  readonly fleetPublicKeys: readonly string[]
}): VariantTrust {
  const privateKey = parsePrivateKey(options.privateKey)
  const fleetKeys = options.fleetPublicKeys.map(parsePublicKey)
  const token = options.token.trim()
  return {
    sign: (type, code) => {
      const unsigned = unsignedVariant(type, code)
      const signature = sign(null, variantSigningBytes(type, unsigned.hash), privateKey)
      return { ...unsigned, token, signature }
    },
    verify: async variant => {
      checkHash(variant)
      await checkSignature(variant, fleetKeys)
    },
  }
}

/** The trust of a process whose links all stay inside it: a variant is what its hash says. */
export const inProcessTrust: VariantTrust = {
  sign: (type, code) => unsignedVariant(type, code),
  verify: async variant => checkHash(variant),
}

function unsignedVariant(type: string, code: string): SignedVariant {
  const bytes = encodeUtf8(code)
  return { hash: hashOf(bytes), type, token: '', signature: new Uint8Array(0), code: bytes }
}

function hashOf(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(sha256Bytes)
  sha256(bytes, hash, 0)
  return hash
}

function checkHash({ hash, code }: SignedVariant): void {
  if (!equalBytes(hashOf(code), hash)) throw new VariantTrustError('its text has another hash')
}

async function checkSignature(variant: SignedVariant, fleetKeys: KeyObject[]): Promise<void> {
  const { type, hash, token, signature } = variant
  const signer = await signerOf(token, fleetKeys)
  if (!signer.identity.roles.includes('authority')) {
    throw new VariantTrustError(`signed by ${signer.identity.node}, which is no authority`)
  }
  if (!verify(null, variantSigningBytes(type, hash), signer.publicKey, signature)) {
    throw new VariantTrustError(`the signature is not ${signer.identity.node}'s`)
  }
}

async function signerOf(token: string, fleetKeys: KeyObject[]): ReturnType<typeof verifyLinkToken> {
  try {
    const { iat = 0 } = decodeJwt(token)
    return await verifyLinkToken(token, fleetKeys, iat * 1000)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new VariantTrustError(`its signer is not of this fleet: ${message}`, { cause: error })
  }
}
