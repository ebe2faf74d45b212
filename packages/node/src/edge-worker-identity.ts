/*
 * Who the processes of one node are to each other. They form a fleet of their own, with a key that is made when the
 * node starts, is in no file, environment or command line, and ends with the process that made it: so nobody
 * else has a link with them, though their port on the loopback address can be dialled by all of the machine.
 *
 * The ceiling is the node's: a worker may be sent what the node may, and nothing else.
 */
import { randomBytes } from 'node:crypto'
import type { LinkAuthenticator } from '@fanfold/websocket'
import {
  createLinkAuthenticator,
  generateFleetKey,
  generateNodeKey,
  mintLinkToken,
} from './link-identity.ts'

/** Longer than any process runs, ms: the keys end with it. */
const ttlMs = 100 * 365 * 86_400_000
/** Longest name of a node. */
const nameLengthMax = 80

/** How a worker shows who it is: that part of its configuration. */
export type WorkerIdentity = {
  readonly token: string
  /** PEM. */
  readonly privateKey: string
  readonly fleetPublicKeys: readonly string[]
}

/** The name of a worker, by the node's and its number from 1 on. */
export function workerName(node: string, worker: number): string {
  const suffix = `.worker-${worker}`
  return `${node.slice(0, nameLengthMax - suffix.length)}${suffix}`
}

/** Makes the identities of one node's processes. */
export class WorkerIdentities {
  readonly #fleet = generateFleetKey()
  readonly #node: string
  readonly #region: string
  readonly #ceiling: number

  constructor(options: {
    readonly node: string
    readonly region: string
    /** Highest label that may cross a link to the node. */
    readonly ceiling: number
  }) {
    this.#node = options.node
    this.#region = options.region
    this.#ceiling = options.ceiling
  }

  /** Who the local proxy is to its workers. */
  async ofProxy(): Promise<LinkAuthenticator> {
    const identity = await this.#mint(this.#node, 'proxy')
    return await createLinkAuthenticator({ ...identity, incarnation: incarnation() })
  }

  /** Who a worker is to the local proxy; another key each time. */
  async ofWorker(worker: number): Promise<WorkerIdentity> {
    return await this.#mint(workerName(this.#node, worker), 'edge')
  }

  async #mint(node: string, role: 'proxy' | 'edge'): Promise<WorkerIdentity> {
    const key = generateNodeKey()
    const token = await mintLinkToken({
      fleetPrivateKey: this.#fleet.privateKey,
      nodePublicKey: key.publicKey,
      node,
      region: this.#region,
      roles: [role],
      ceiling: this.#ceiling,
      ttlMs,
    })
    return { token, privateKey: key.privateKey, fleetPublicKeys: [this.#fleet.publicKey] }
  }
}

const incarnation = (): string => randomBytes(8).toString('hex')
