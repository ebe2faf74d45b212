/* Links in an attacker's hands, who has the token and the key of a node of the fleet. */
import {
  type DocumentKey,
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkFrame,
  type LinkId,
  type LinkInput,
} from '@fanfold/protocol'
import { LinkSockets, linkLimitsDefault, systemClock, TurnShare } from '@fanfold/websocket'
import t from 'tap'
import { mintLinkToken } from '../src/index.ts'
import { createLinkAuthenticator, generateFleetKey, generateNodeKey } from '../src/link-identity.ts'
import { until, type Victim } from './hostile-rig.ts'

const fleet = generateFleetKey()
/** Who a node is, as it shows. */
export type Member = { readonly token: string; readonly privateKey: string }

/** A node that the fleet's key has signed for. */
export async function member(node: string, roles: readonly string[], ceiling = 0): Promise<Member> {
  const { publicKey: nodePublicKey, privateKey } = generateNodeKey()
  const fleetPrivateKey = fleet.privateKey
  const claims = { node, region: 'test', roles, ceiling, ttlMs: 600_000 }
  return { token: await mintLinkToken({ fleetPrivateKey, nodePublicKey, ...claims }), privateKey }
}

/** Options of a node that is this member. */
export const linkOptions = ({ token, privateKey }: Member): Record<string, unknown> => ({
  'link.token': token,
  'link.privateKey': privateKey,
  'link.fleetPublicKeys': [fleet.publicKey],
})

/** Links of an attacker: what comes is kept, what goes is up to the test. */
export type EvilLinks = {
  readonly sockets: LinkSockets
  readonly inputs: readonly LinkInput[]
  frames(): readonly LinkFrame[]
  send(link: LinkId, ...frames: readonly LinkFrame[]): void
}

/** Links of a member that does as the test says; they end with it. */
export async function evil(identity: Member): Promise<EvilLinks> {
  const authenticator = await createLinkAuthenticator({
    ...identity,
    fleetPublicKeys: [fleet.publicKey],
    incarnation: 'evil',
  })
  const inputs: LinkInput[] = []
  let links = 0
  const sockets = new LinkSockets({
    authenticator,
    nextLink: () => ++links as LinkId,
    report: input => inputs.push(input),
    limits: { ...linkLimitsDefault, silenceMaxMs: 5_000, bufferedBytesCap: 1_000_000_000 },
    clock: systemClock,
    share: new TurnShare(systemClock),
  })
  t.teardown(() => sockets.close())
  return {
    sockets,
    inputs,
    frames: () =>
      inputs.flatMap(input =>
        input.kind === 'link-frame' ? (decodeLinkFrame(input.frame) ?? []) : [],
      ),
    send: (link, ...frames) => {
      for (const frame of frames) {
        sockets.perform({ kind: 'link-send', link, frame: encodeLinkFrame(frame) })
      }
    },
  }
}

/** A join of a document, with all the credit that there is. */
export const join = (
  doc: DocumentKey,
  have?: Extract<LinkFrame, { kind: 'join' }>['have'],
): LinkFrame => ({ kind: 'join', doc, have, credit: 0xffff_ffff, take: 'any', codecs: 0 })

/** A link to a node, open. */
export async function dialled(
  victim: Victim,
  identity: Member,
): Promise<{ readonly evil: EvilLinks; readonly link: LinkId }> {
  const attacker = await evil(identity)
  const link = attacker.sockets.dial(`ws://127.0.0.1:${victim.port}`)
  await until(() => attacker.inputs.some(({ kind }) => kind === 'link-opened'), 'the link')
  return { evil: attacker, link }
}
