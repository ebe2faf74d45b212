import type { IssuedCertificate } from '@fanfold/conformance'
import type { LinkId, LinkInput } from '@fanfold/protocol'
import {
  type LinkAgreement,
  type LinkAuthenticator,
  LinkSockets,
  linkLimitsDefault,
  type TlsDialler,
  TurnShare,
  UpgradeRouter,
} from '@fanfold/websocket'
import type { Test } from 'tap'
import { listen } from './http-server.ts'
import { ManualClock } from './manual-clock.ts'

let links = 0
/** Names links. */
export const nextLink = () => ++links as LinkId

/** One side of links: its inputs so far, and its time. */
export type Side = {
  readonly links: LinkSockets
  readonly inputs: LinkInput[]
  readonly clock: ManualClock
}

/** A side that ends with the test. */
export function side(
  t: Test,
  options: {
    readonly authenticator: LinkAuthenticator
    readonly agreement?: LinkAgreement
    readonly tls?: TlsDialler
    readonly report?: (input: LinkInput) => void
  },
): Side {
  const inputs: LinkInput[] = []
  const clock = new ManualClock()
  const sockets = new LinkSockets({
    authenticator: options.authenticator,
    agreement: options.agreement,
    tls: options.tls,
    nextLink,
    report: input => {
      inputs.push(input)
      options.report?.(input)
    },
    limits: linkLimitsDefault,
    clock,
    share: new TurnShare(clock),
  })
  t.teardown(() => sockets.close())
  return { links: sockets, inputs, clock }
}

/** Listens, over TLS where it has a certificate; resolves with the port. */
export async function serve(
  t: Test,
  listener: Side,
  served?: IssuedCertificate | undefined,
): Promise<number> {
  const router = new UpgradeRouter({ origins: [], connectionsMax: 100 })
  router.add('', { link: listener.links })
  return (await listen(t, router, served)).port
}

/** Resolves with the first input of this kind. */
export function untilInput<Kind extends LinkInput['kind']>(
  side: Side,
  kind: Kind,
): Promise<Extract<LinkInput, { kind: Kind }>> {
  return new Promise(resolve => {
    const look = () => {
      const found = side.inputs.find(
        (input): input is Extract<LinkInput, { kind: Kind }> => input.kind === kind,
      )
      if (found === undefined) setImmediate(look)
      else resolve(found)
    }
    look()
  })
}
