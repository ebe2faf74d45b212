import { assert } from '@fanfold/kernel'
import type { LinkInput, PeerIdentity } from '@fanfold/protocol'
import type { LinkPeer, Network } from './network.ts'
import type { ParentLinks } from './parent-links.ts'

/** A process of a node while it runs. */
export type RunningNode = {
  receive(input: LinkInput): void
  /** It is gone at this moment; what it had under way does not happen. */
  stop(): void
  /** It ends in good order, for one that can: what it begins to keep now is kept. */
  close?(): void
}

/** A node of a tree: it can be ended at any moment, and started again under its name. */
export class TreeNode implements LinkPeer {
  readonly name: string
  readonly #network: Network
  readonly #role: string
  readonly #ceiling: number
  readonly #run: (node: TreeNode) => RunningNode
  /** Makes its links to parents anew; undefined for one that has none. */
  readonly #connect: ((node: TreeNode) => ParentLinks) | undefined
  #running: RunningNode | undefined
  #parents: ParentLinks | undefined
  #incarnation = 0

  constructor(options: {
    readonly name: string
    readonly network: Network
    readonly role: string
    readonly ceiling: number
    readonly run: (node: TreeNode) => RunningNode
    readonly connect?: ((node: TreeNode) => ParentLinks) | undefined
  }) {
    this.name = options.name
    this.#network = options.network
    this.#role = options.role
    this.#ceiling = options.ceiling
    this.#run = options.run
    this.#connect = options.connect
  }

  get identity(): PeerIdentity {
    return {
      node: this.name,
      incarnation: `${this.name}-${this.#incarnation}`,
      region: 'here',
      roles: [this.#role],
      ceiling: this.#ceiling,
    }
  }

  get isUp(): boolean {
    return this.#running !== undefined
  }

  /** How often it was started. */
  get incarnation(): number {
    return this.#incarnation
  }

  start(): void {
    assert(this.#running === undefined, `${this.name} is started once at a time`)
    this.#incarnation++
    this.#running = this.#run(this)
    this.#parents = this.#connect?.(this)
    this.#parents?.start()
  }

  /** Ends it as a crash does. */
  stop(): void {
    this.#running?.stop()
    this.#leave()
  }

  /** Ends it in good order. */
  close(): void {
    if (this.#running?.close === undefined) this.#running?.stop()
    else this.#running.close()
    this.#leave()
  }

  #leave(): void {
    this.#parents?.stop()
    this.#parents = undefined
    this.#running = undefined
    this.#network.drop(this)
  }

  /** Keeps so many links to parents from now on. */
  wantParents(count: number): void {
    this.#parents?.want(count)
  }

  receive(input: LinkInput): void {
    this.#parents?.notice(input)
    this.#running?.receive(input)
  }
}
