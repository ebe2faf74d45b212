/*
 * Who serves what, at one moment: computed from who is alive and what operators have said, by every node
 * alone and by all alike. A value: when something changes another one is made, and the two are compared.
 *
 * A document is its pinned node's (the document's own entry before its tenant's), else the authority's
 * that rendezvous draws among those that take its tenant. A pin is a preference and no condition: the log
 * is the fence, any authority can serve any document, and one whose node is down is served by whom
 * rendezvous draws until the node is back. That is told, never silent. Who must not serve a tenant says so
 * itself, in its lists, and those hold against pins too.
 *
 * Who is set otherwise than the fleet computes something else than the others, and is given nothing at all: nobody
 * has a link with it. Who is draining owns nothing where somebody else can. A region's proxy of a document is drawn from the
 * region's proxies alone; one that says it cannot reach the document's owner is passed over while another can.
 */
import { asDocumentKey, type DocumentKey, documentName, matchesGlob } from '@fanfold/protocol'
import type { Member, NodeRole } from './member.ts'
import type { PlacementEntry, TenantQuota } from './placement-entry.ts'
import { placementKeyOf } from './placement-key.ts'
import { Rendezvous } from './rendezvous.ts'

/** Why a document's owner is who it is. */
export type PlacedBy =
  | 'rendezvous'
  | 'placement'
  /** A node is named, and cannot serve now: rendezvous stands in. */
  | 'placed-node-down'
  | 'placed-node-draining'
  | 'placed-node-refuses'
  | 'placed-node-differs'
  /** No authority that takes the tenant is alive. */
  | 'nobody'

/** Whose a document is. */
export type Ownership = {
  /** Who commits to it; undefined when nobody can. */
  readonly owner: Member | undefined
  /** Who takes over when the owner is gone, or where it is handed over to. */
  readonly standby: Member | undefined
  readonly why: PlacedBy
}

/** What is wrong with a document's placement, and what to do about it. */
export type PlacementProblem = {
  readonly code: 'FANFOLD_NO_AUTHORITY' | 'FANFOLD_PLACED_NODE'
  readonly message: string
}

/** The node of an entry, and whom it is handed over to. */
type Pin = { readonly node: string; readonly to: string | undefined; readonly why: PlacedBy }

/** Nodes that a message names, beside how many there are. */
const namesMax = 10

/** Tenants and regions whose candidates are kept at hand; beyond so many they are made anew. */
const groupsMax = 10_000

/** Who serves what. */
export class Placement {
  readonly #members: ReadonlyMap<string, Member>
  readonly #entries: ReadonlyMap<string, PlacementEntry>
  readonly #fingerprint: string | undefined
  readonly #authorities: readonly Member[]
  /** When all authorities take all tenants, all tenants have the same candidates. */
  readonly #shared: Rendezvous | undefined
  /** Some proxy cannot reach everybody. */
  readonly #isAnyCutOff: boolean
  readonly #ofTenant = new Map<string, Rendezvous>()
  readonly #ofRegion = new Map<string, Rendezvous>()

  constructor(options: {
    readonly members: Iterable<Member>
    readonly entries?: Iterable<PlacementEntry>
    /** Of what the fleet is set to: members that are set otherwise have no part. Undefined where all have. */
    readonly fingerprint?: string | undefined
  }) {
    this.#members = new Map([...options.members].map(member => [member.node, member]))
    this.#entries = new Map([...(options.entries ?? [])].map(entry => [entry.subject, entry]))
    this.#fingerprint = options.fingerprint
    this.#authorities = this.#withRole('authority')
    this.#isAnyCutOff = this.#withRole('proxy').some(({ cutOffFrom }) => cutOffFrom.length > 0)
    this.#shared = this.#authorities.every(takesAll) ? drawn(this.#authorities) : undefined
  }

  /** How many members are alive. */
  get count(): number {
    return this.#members.size
  }

  /** Members that are alive. */
  get members(): Iterable<Member> {
    return this.#members.values()
  }

  /** What operators have said. */
  get entries(): Iterable<PlacementEntry> {
    return this.#entries.values()
  }

  /** The member of this node id, when it is alive. */
  member(node: string): Member | undefined {
    return this.#members.get(node)
  }

  /** Of what the fleet is set to; undefined where that does not matter. */
  get fingerprint(): string | undefined {
    return this.#fingerprint
  }

  /** True for a member that is set otherwise than the fleet, and so is given nothing. */
  differs({ fingerprint }: Member): boolean {
    return this.#fingerprint !== undefined && fingerprint !== this.#fingerprint
  }

  /** What operators have said of a tenant or a document itself. */
  entry(subject: string): PlacementEntry | undefined {
    return this.#entries.get(subject)
  }

  /** The entry that holds for a document: its own, or its tenant's. */
  entryOf(doc: DocumentKey): PlacementEntry | undefined {
    const own = this.#entries.get(doc)
    if (own?.node !== undefined) return own
    const { tenant } = documentName(doc)
    const ofTenant = this.#entries.get(tenant)
    return ofTenant?.node === undefined ? undefined : ofTenant
  }

  /** What a tenant may take; undefined when nothing is said. */
  quotaOf(tenant: string): TenantQuota | undefined {
    return this.#entries.get(tenant)?.quota
  }

  /** The node id of a document's owner: what `ownerOf` names, for when there are many to look at. */
  ownerNameOf(doc: DocumentKey): string | undefined {
    const pinned = this.#entries.size === 0 ? undefined : this.#pinOf(doc)
    if (pinned?.why === 'placement') return pinned.node
    return this.#candidatesOf(doc).owner(placementKeyOf(doc))
  }

  /** Whose a document is, who would be next, and why. */
  ownerOf(doc: DocumentKey): Ownership {
    const [first, second] = this.#candidatesOf(doc).owners(placementKeyOf(doc), 2)
    const pinned = this.#pinOf(doc)
    if (pinned?.why === 'placement') {
      const next = pinned.to ?? (first === pinned.node ? second : first)
      return { owner: this.#named(pinned.node), standby: this.#named(next), why: 'placement' }
    }
    const why = first === undefined ? 'nobody' : (pinned?.why ?? 'rendezvous')
    return { owner: this.#named(first), standby: this.#named(second), why }
  }

  /** What is wrong with a document's placement, in words that say what to do. */
  problemOf(doc: DocumentKey): PlacementProblem | undefined {
    const { owner, why } = this.ownerOf(doc)
    if (why === 'rendezvous' || why === 'placement') return undefined
    const { tenant } = documentName(doc)
    if (why === 'nobody') {
      const count = this.#authorities.length
      const others = [...this.#members.values()].filter(member => this.differs(member)).length
      const differing = others === 0 ? '' : `; ${others} nodes are set otherwise than the fleet`
      return {
        code: 'FANFOLD_NO_AUTHORITY',
        message: `no authority takes ${doc}: ${count} alive, none with a weight that takes tenant ${tenant}; start one, or change the tenants of one${differing}`,
      }
    }
    const node = this.entryOf(doc)?.node
    const { trouble, remedy } = words[why]
    return {
      code: 'FANFOLD_PLACED_NODE',
      message: `${doc} is placed on ${node}, which ${trouble}; ${owner?.node} serves it meanwhile; ${remedy}`,
    }
  }

  /** Whether an entry's node serves its subject now, and why not: by `rendezvous` when it names no node. */
  standingOf(entry: PlacementEntry): PlacedBy {
    return this.#pinBy(entry)?.why ?? 'rendezvous'
  }

  /** What is wrong with an entry's node, in words that say what to do. */
  problemOfEntry(entry: PlacementEntry): PlacementProblem | undefined {
    const why = this.standingOf(entry)
    if (why === 'rendezvous' || why === 'placement' || why === 'nobody') return undefined
    const { subject, node } = entry
    const { trouble, remedy } = words[why]
    return {
      code: 'FANFOLD_PLACED_NODE',
      message: `${subject} is placed on ${node}, which ${trouble}; it is served as if it were not placed meanwhile; ${remedy}`,
    }
  }

  /** Authorities that take the tenant of a subject, by name. */
  takersOf(subject: string): readonly Member[] {
    const tenant = tenantOf(subject)
    const able = this.#authorities.filter(member => takes(member, tenant))
    return able.toSorted((one, other) => (one.node < other.node ? -1 : 1))
  }

  /** Why a subject must not be placed on a node, in words that say what to do; undefined when it may be. */
  problemOfPlacing(subject: string, node: string): PlacementProblem | undefined {
    const member = this.#members.get(node)
    const why = this.#pinOn(node, subject)
    if (why === 'placement') return undefined
    const takers = this.takersOf(subject).filter(({ isDraining }) => !isDraining)
    const names = takers.slice(0, namesMax).map(taker => taker.node)
    const more = takers.length > names.length ? ` and ${takers.length - names.length} more` : ''
    const others =
      names.length === 0 ? 'no other one takes it' : `these take it: ${names.join(', ')}${more}`
    const trouble =
      member === undefined
        ? `no node of the fleet that is alive is ${node}`
        : why === 'placed-node-draining'
          ? `${node} is draining`
          : member.roles.includes('authority')
            ? `${node} does not take tenant ${tenantOf(subject)}, as its tenants.allow and tenants.deny say`
            : `${node} is no authority but ${member.roles.join(', ')}`
    return {
      code: 'FANFOLD_PLACED_NODE',
      message: `${subject} cannot be placed there: ${trouble}; ${others}`,
    }
  }

  /** The region's proxy that pulls a document from its authority; undefined when none is alive. */
  regionalProxyOf(doc: DocumentKey, region: string): Member | undefined {
    return this.#named(this.#proxiesFor(doc, region).owner(doc))
  }

  /** The first `count` of the region's proxies for a document: who pulls it, then who would, in order. */
  regionalProxiesOf(doc: DocumentKey, region: string, count: number): Member[] {
    const nodes = this.#proxiesFor(doc, region).owners(doc, count)
    return nodes.flatMap(node => this.#named(node) ?? [])
  }

  /** The region's proxies in an order that is `parent`'s own for the document: whom it recruits first. */
  recruitsFor(parent: Pick<Member, 'node' | 'region'>, doc: DocumentKey, count: number): Member[] {
    // A space stands in no key and no name.
    const nodes = this.#proxiesFor(doc, parent.region).owners(`${doc} ${parent.node}`, count)
    return nodes.flatMap(node => this.#named(node) ?? [])
  }

  #proxiesFor(doc: DocumentKey, region: string): Rendezvous {
    const owner = this.#isAnyCutOff ? this.ownerNameOf(doc) : undefined
    // A region and a node have no slash in their names.
    return cached(this.#ofRegion, `${region}/${owner ?? ''}`, () => {
      const proxies = this.#withRole('proxy').filter(member => member.region === region)
      const able = proxies.filter(({ cutOffFrom }) => !cutOffFrom.some(node => node === owner))
      return drawn(able.length === 0 ? proxies : able)
    })
  }

  #candidatesOf(doc: DocumentKey): Rendezvous {
    if (this.#shared !== undefined) return this.#shared
    const { tenant } = documentName(doc)
    return cached(this.#ofTenant, tenant, () =>
      drawn(this.#authorities.filter(member => takes(member, tenant))),
    )
  }

  /** What an operator has said of the document, and whether that holds. */
  #pinOf(doc: DocumentKey): Pin | undefined {
    const entry = this.entryOf(doc)
    return entry && this.#pinBy(entry)
  }

  #pinBy({ subject, node, to }: PlacementEntry): Pin | undefined {
    if (node === undefined) return undefined
    const why = this.#pinOn(node, subject)
    const heir = to !== undefined && this.#canTake(to, subject) ? to : undefined
    // Whom it was being handed over to has the most of it.
    const isInherited = heir !== undefined && this.#members.get(heir)?.isDraining === false
    if (why === 'placed-node-down' && isInherited) {
      return { node: heir, to: undefined, why: 'placement' }
    }
    return { node, to: why === 'placement' ? heir : undefined, why }
  }

  /** Whether a node can serve what is placed on it. */
  #pinOn(node: string, subject: string): PlacedBy {
    const member = this.#members.get(node)
    if (member === undefined) return 'placed-node-down'
    if (this.differs(member)) return 'placed-node-differs'
    if (!this.#canTake(node, subject)) return 'placed-node-refuses'
    const isLeft = member.isDraining && this.#hasOther(node, tenantOf(subject))
    return isLeft ? 'placed-node-draining' : 'placement'
  }

  #canTake(node: string, subject: string): boolean {
    const member = this.#members.get(node)
    if (member === undefined || this.differs(member)) return false
    return member.roles.includes('authority') && takes(member, tenantOf(subject))
  }

  #hasOther(node: string, tenant: string): boolean {
    return this.#authorities.some(
      other => other.node !== node && !other.isDraining && other.weight > 0 && takes(other, tenant),
    )
  }

  #withRole(role: NodeRole): Member[] {
    return [...this.#members.values()].filter(
      member => member.roles.includes(role) && !this.differs(member),
    )
  }

  #named(node: string | undefined): Member | undefined {
    return node === undefined ? undefined : this.#members.get(node)
  }
}

const words: Readonly<
  Record<
    Exclude<PlacedBy, 'rendezvous' | 'placement' | 'nobody'>,
    { readonly trouble: string; readonly remedy: string }
  >
> = {
  'placed-node-down': { trouble: 'is not alive', remedy: 'start it, or place it elsewhere' },
  'placed-node-draining': { trouble: 'is draining', remedy: 'place it elsewhere' },
  'placed-node-refuses': {
    trouble: 'is no authority that takes the tenant',
    remedy: 'change its roles or tenants, or place it elsewhere',
  },
  'placed-node-differs': {
    trouble: 'is set otherwise than the fleet',
    remedy: 'set it as the others are, or place it elsewhere',
  },
}

const takesAll = ({ tenants }: Member): boolean =>
  tenants.deny.length === 0 && tenants.allow.some(glob => glob === '*' || glob === '**')

/** The tenant that a subject is, or is of. */
function tenantOf(subject: string): string {
  const doc = asDocumentKey(subject)
  return doc === undefined ? subject : documentName(doc).tenant
}

/** True when an authority takes a tenant. */
function takes({ tenants }: Member, tenant: string): boolean {
  const isMatch = (glob: string): boolean => matchesGlob(glob, tenant)
  return tenants.allow.some(isMatch) && !tenants.deny.some(isMatch)
}

/** Candidates that stay, or all of them when all go. */
function drawn(members: readonly Member[]): Rendezvous {
  const staying = members.filter(member => !member.isDraining && member.weight > 0)
  const able = staying.length === 0 ? members : staying
  return new Rendezvous(able.map(({ node, weight }) => ({ name: node, weight })))
}

function cached(groups: Map<string, Rendezvous>, name: string, make: () => Rendezvous): Rendezvous {
  const known = groups.get(name)
  if (known !== undefined) return known
  if (groups.size >= groupsMax) groups.clear()
  const made = make()
  groups.set(name, made)
  return made
}
