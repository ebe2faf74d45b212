import type { ReplicaWorkerFactory } from '@fanfold/document'
import type { SendAll } from '@fanfold/native'
import {
  type LinkId,
  labelMax,
  type PeerIdentity,
  type RequestId,
  type ViewerId,
} from '@fanfold/protocol'
import type { LinkAuthenticator, TlsDialler } from '@fanfold/websocket'
import type { Config } from './config.ts'
import type { FleetAgreement } from './fleet-agreement.ts'
import type { Log } from './logging.ts'
import type { Metrics } from './metrics.ts'
import type { TenantQuotas } from './tenant-quotas.ts'
import type { VariantTrust } from './variant-trust.ts'

/** What all roles of one process share. */
export type ProcessContext = {
  readonly config: Config
  readonly log: Log
  readonly metrics: Metrics
  /** Who this node is to others; undefined where it has no links to other nodes. */
  readonly authenticator: LinkAuthenticator | undefined
  /** How other nodes are dialled over TLS. */
  readonly tlsDialler: TlsDialler
  /** What the fleet is set to that the process is part of; undefined where it is part of none. */
  readonly agreement: FleetAgreement | undefined
  /** Signs variants at the authority and checks them at edges. */
  readonly variantTrust: VariantTrust
  /** What each tenant may take here. */
  readonly quotas: TenantQuotas
  /** An author is looking: what their code throws may be shown in the log as it is. */
  readonly isDevelopment: boolean
  readonly names: ProcessNames
  /** Makes the replica worker of a role; those of a process share their threads. */
  readonly openWorker: ReplicaWorkerFactory
  /** Writes to many sockets in one call; undefined without the native addon. */
  readonly sendAll: SendAll | undefined
  /** Shared state is in doubt: the process must end. */
  readonly fail: (error: unknown) => void
}

/** Hands out names that are unique in the process. */
export class ProcessNames {
  #link = 0
  #viewer = 0
  #request = 0

  readonly nextLink = (): LinkId => ++this.#link as LinkId
  readonly nextViewer = (): ViewerId => ++this.#viewer as ViewerId
  readonly nextRequest = (): RequestId => ++this.#request as RequestId
}

/** Who a role of this process is to the other roles of it: of the fleet, with everything but secrets. */
export const inProcessIdentity = (node: string, region: string, role: string): PeerIdentity => ({
  node,
  incarnation: 'in-process',
  region,
  roles: [role],
  // Labels may cross to any role of the process; the crowd's and the authority's parts may not.
  ceiling: labelMax,
})
