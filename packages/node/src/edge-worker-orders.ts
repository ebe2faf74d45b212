/*
 * What the processes of one node tell each other, beside the link that documents come over. Both ends are the same
 * version of this program and nobody else holds the channel, so what comes is what was sent.
 */
import type { Member, PlacementEntry, RoutedNode } from '@fanfold/topology'
import type { Config } from './config.ts'
import type { ToldMetric } from './metrics.ts'
import type { TenantUse } from './quota-use.ts'
import type { ServedCertificate } from './served-certificate.ts'

/** How often a worker says what it has, ms, whether or not that has changed: by this it is known to be alive. */
export const useToldEveryMs = 1_000
/** A worker ends with this code when its state is in doubt, as a node does. */
export const fatalExitCode = 70

/** What a placement is made of. */
export type PlacementParts = {
  readonly members: readonly Member[]
  readonly entries: readonly PlacementEntry[]
  readonly fingerprint: string | undefined
}

/** What a worker begins with. */
export type WorkerBeginning = {
  /** The node's name. */
  readonly node: string
  /** Its number, from 1 on, and how many there are. */
  readonly worker: number
  readonly workers: number
  /** The node's, but that its parent is the local proxy, and that it has no secrets of the node's links. */
  readonly config: Config
  /** Keys of the fleet whose authorities sign variants. */
  readonly fleetPublicKeys: readonly string[]
  /** What TLS sessions are sealed with, base64: one that a worker gave is resumed at each of them. */
  readonly ticketKeys: string
  /** Who the node is in its fleet; undefined for one of none. */
  readonly self: RoutedNode | undefined
}

/** What a worker is told. */
export type WorkerOrder =
  | ({ readonly kind: 'begin' } & WorkerBeginning)
  /** A connection comes with it. */
  | { readonly kind: 'connection' }
  | { readonly kind: 'show'; readonly certificate: ServedCertificate }
  | { readonly kind: 'quotas'; readonly rules: readonly string[] }
  | ({ readonly kind: 'placed' } & PlacementParts)
  | { readonly kind: 'tell-metrics' }
  | { readonly kind: 'drain' }

/** What a worker has now. */
export type WorkerUse = {
  readonly viewers: number
  readonly documents: number
  /** Bytes sent to viewers so far. */
  readonly bytesOut: number
  /** Documents in which something differed when they were last checked. */
  readonly suspects: number
  /** True while it has its link to the local proxy. */
  readonly hasParent: boolean
}

/** What a tenant that a quota bounds has at a worker. */
export type WorkerTenantUse = Omit<TenantUse, 'documents'> & { readonly tenant: string }

/** What a worker tells. */
export type WorkerWord =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'use'
      /** Connections that it was given so far, and those of them that have ended. */
      readonly taken: number
      readonly closed: number
      readonly use: WorkerUse
      /** Undefined where nothing is said of them this time. */
      readonly tenants: readonly WorkerTenantUse[] | undefined
    }
  | { readonly kind: 'metrics'; readonly metrics: readonly ToldMetric[] }
