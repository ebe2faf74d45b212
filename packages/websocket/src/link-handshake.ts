/*
 * How two nodes come to know each other, before any frame is taken from a link.
 *
 * Both send `hello` with a token and a fresh nonce; each checks the other's token and then signs, with
 * the key its own token names, what only this connection has: the role on it, both nonces and the
 * token. A token that was overheard is worth nothing without the key, a signature nothing on another
 * connection, and the role's byte keeps a side from being shown its own signature.
 */
import { createHash } from 'node:crypto'
import { concatBytes, encodeUtf8 } from '@fanfold/kernel'
import {
  badFrame,
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkFrame,
  type PeerIdentity,
  ProtocolError,
  protocolVersion,
} from '@fanfold/protocol'

/** What a peer's token says, once it is known to be good. */
export type VerifiedPeer = {
  readonly identity: Omit<PeerIdentity, 'incarnation'>
  /** True when `signature` is of `bytes` by the key the token names. */
  verifyProof(bytes: Uint8Array, signature: Uint8Array): Promise<boolean>
}

/** Who this node is on its links, and how it tells who others are. */
export interface LinkAuthenticator {
  /** Random name of this run of the node. */
  readonly incarnation: string
  /** This node's link token, read again for each link so that it may be renewed. */
  token(): string
  /** A signature with the key that the token names. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
  /** Rejects when the token is not good. */
  verify(token: string): Promise<VerifiedPeer>
}

/** What a node of a fleet is set to where all must be alike, and what it makes of what others are set to. */
export interface LinkAgreement {
  /** The node's configured view, which its hellos carry. */
  readonly configuredView: string
  /** Why there is no link with the peer, whose hello carried this view; undefined when there may be one. */
  refusalOf(peer: PeerIdentity, configuredView: string): string | undefined
}

/** Bytes of a hello's nonce. */
export const nonceBytes = 32

const context = encodeUtf8('fanfold.link.v1')
const roleBytes = { dialler: Uint8Array.of(1), listener: Uint8Array.of(2) } as const

/** What one side signs to show that it holds the key of `token`. */
export function linkProofBytes(proof: {
  readonly role: 'dialler' | 'listener'
  readonly diallerNonce: Uint8Array
  readonly listenerNonce: Uint8Array
  readonly token: string
}): Uint8Array {
  const digest = createHash('sha256').update(proof.token).digest()
  return concatBytes([
    context,
    roleBytes[proof.role],
    proof.diallerNonce,
    proof.listenerNonce,
    digest,
  ])
}

/** The two ends of a connection that shakes hands. */
export type HandshakeFrames = {
  send(frame: Uint8Array): void
  /** The peer's next frame; rejects when there will be none. */
  next(): Promise<Uint8Array>
}

/**
 * Shakes hands and returns who the peer is.
 *
 * The deadline is the caller's: it ends the frames.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME` for any other frame than the one that is due,
 *   `FANFOLD_VERSION`, `FANFOLD_BAD_TOKEN`, `FANFOLD_VIEW_DIFFERS`
 */
export async function shakeHands(
  frames: HandshakeFrames,
  options: {
    readonly authenticator: LinkAuthenticator
    readonly dialled: boolean
    /** 32 fresh random bytes. */
    readonly nonce: Uint8Array
    /** Undefined for a node that is part of no fleet. */
    readonly agreement?: LinkAgreement | undefined
  },
): Promise<PeerIdentity> {
  const { authenticator, dialled, nonce, agreement } = options
  const token = authenticator.token()
  frames.send(
    encodeLinkFrame({
      kind: 'hello',
      versionMin: protocolVersion,
      versionMax: protocolVersion,
      incarnation: authenticator.incarnation,
      token,
      nonce,
      configuredView: agreement?.configuredView,
    }),
  )

  const hello = expectHello(await frames.next())
  if (hello.versionMin > protocolVersion || hello.versionMax < protocolVersion) {
    throw new ProtocolError(
      'FANFOLD_VERSION',
      `this node speaks version ${protocolVersion}, the peer ${hello.versionMin} to ${hello.versionMax}`,
    )
  }
  const peer = await verifyToken(authenticator, hello.token)
  const nonces = dialled
    ? { diallerNonce: nonce, listenerNonce: hello.nonce }
    : { diallerNonce: hello.nonce, listenerNonce: nonce }
  const own = linkProofBytes({ role: dialled ? 'dialler' : 'listener', ...nonces, token })
  frames.send(encodeLinkFrame({ kind: 'proof', signature: await authenticator.sign(own) }))

  const proof = expectProof(await frames.next())
  const theirs = linkProofBytes({
    role: dialled ? 'listener' : 'dialler',
    ...nonces,
    token: hello.token,
  })
  if (!(await peer.verifyProof(theirs, proof.signature))) {
    throw new ProtocolError('FANFOLD_BAD_TOKEN', "the proof is not of the token's key")
  }
  const identity = { ...peer.identity, incarnation: hello.incarnation }
  checkAgreement(agreement, identity, hello.configuredView)
  return identity
}

/** Both sides have sent their proofs by now, so each sees for itself where they differ. */
function checkAgreement(
  agreement: LinkAgreement | undefined,
  peer: PeerIdentity,
  configuredView: string | undefined,
): void {
  if (configuredView === undefined) return
  const refusal = agreement?.refusalOf(peer, configuredView)
  if (refusal !== undefined) throw new ProtocolError('FANFOLD_VIEW_DIFFERS', refusal)
}

async function verifyToken(authenticator: LinkAuthenticator, token: string): Promise<VerifiedPeer> {
  try {
    return await authenticator.verify(token)
  } catch {
    // Why a token is refused is for this node's log, not for whoever sent it.
    throw new ProtocolError('FANFOLD_BAD_TOKEN', 'the link token is not valid here')
  }
}

function expectHello(bytes: Uint8Array): Extract<LinkFrame, { kind: 'hello' }> {
  const frame = decodeLinkFrame(bytes)
  return frame?.kind === 'hello' ? frame : badFrame(`a hello first, got ${frame?.kind}`)
}

function expectProof(bytes: Uint8Array): Extract<LinkFrame, { kind: 'proof' }> {
  const frame = decodeLinkFrame(bytes)
  return frame?.kind === 'proof' ? frame : badFrame(`a proof after the hello, got ${frame?.kind}`)
}
