import { Chain } from '@fanfold/document'
import {
  assert,
  fromHex,
  type Instant,
  type Machine,
  type Prng,
  type Sha256,
  toHex,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeLinkFrame,
  type LinkId,
  type LinkInput,
  type SignedVariant,
} from '@fanfold/protocol'
import {
  ChildLinks,
  Downstream,
  type Follower,
  type FollowerLimits,
  Following,
  type FollowingEffect,
  type FollowingEvent,
  type FollowingFact,
  type JoinRequest,
  refusal,
} from '@fanfold/replication'
import { VariantRequests } from './variant-requests.ts'

/** Bounds of a proxy. */
export type ProxyLimits = {
  readonly follower: FollowerLimits
  /** How long a document is followed after its last child has left. */
  readonly lingerMs: number
}

/** What happens to a proxy: the link that was dialled is its parent's, the others its children's. */
export type ProxyInput = LinkInput

/** Something that happened at a proxy, for logs and metrics. */
export type ProxyFact =
  | FollowingFact
  | {
      readonly event: 'records-forwarded'
      readonly records: number
      readonly bytes: number
      readonly committedAtMs: number
    }

/** What a proxy wants done. */
export type ProxyEffect = FollowingEffect | { readonly kind: 'fact'; readonly fact: ProxyFact }

type ProxyDocument = {
  readonly follower: Follower
  readonly downstream: Downstream
  readonly channel: number
  /** Children that wait for the first answer from above; of one link only the last join counts. */
  readonly waiting: Map<LinkId, JoinRequest>
}

/** How long a child that is refused for want of a parent should wait. */
const retryAfterMs = 250

/**
 * The role that is a tier of the tree: follows documents from a parent while children want them, and
 * passes every record on as it came.
 */
export class ProxyTier implements Machine<ProxyInput, ProxyEffect> {
  readonly #chain: Chain
  readonly #following: Following
  readonly #children: ChildLinks
  readonly #documents = new Map<DocumentKey, ProxyDocument>()
  readonly #variantRequests = new VariantRequests()
  // The callbacks below run inside `receive` and `tick`, which lend them their instant and effects.
  #now: Instant = 0 as Instant
  #effects: ProxyEffect[] = []

  constructor(options: {
    readonly sha256: Sha256
    readonly prng: Prng
    readonly limits: ProxyLimits
  }) {
    const { sha256, prng, limits } = options
    this.#chain = new Chain(sha256)
    this.#following = new Following({
      sha256,
      prng,
      limits: limits.follower,
      lingerMs: limits.lingerMs,
      tell: (doc, event) => this.#told(doc, event),
      tellVariant: (hash, variant) => this.#answerVariant(hash, variant),
    })
    this.#children = new ChildLinks({
      join: (doc, request) => this.#join(doc, request),
      downstream: doc => this.#documents.get(doc)?.downstream,
      left: (doc, link) => this.#left(doc, link),
      flush: doc => this.#flush(doc),
      variant: (hash, link) => this.#requestVariant(toHex(hash), link),
      signal: () => undefined,
    })
  }

  /** Documents followed. */
  get documentCount(): number {
    return this.#documents.size
  }

  /** Links of children. */
  get childCount(): number {
    return this.#children.count
  }

  /** Streams of documents to children. */
  get streamCount(): number {
    return this.#children.streamCount
  }

  /** Documents of which what is held may be old. */
  get staleCount(): number {
    return this.#following.staleCount
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#following.hasParent
  }

  receive(input: ProxyInput, now: Instant, effects: ProxyEffect[]): void {
    this.#now = now
    this.#effects = effects
    const isChilds = input.kind === 'link-opened' ? !input.dialled : this.#children.has(input.link)
    if (isChilds) {
      this.#children.receive(input, effects)
      if (input.kind === 'link-closed') {
        for (const hash of this.#variantRequests.leave(input.link)) {
          this.#following.unwantVariant(hash)
        }
      }
    } else {
      this.#following.receive(input, now, effects)
      if (input.kind === 'link-closed') this.#refuseWaiting()
    }
  }

  wakeAt(): Instant | undefined {
    if (this.#children.hasBusy) return this.#now
    return this.#following.wakeAt()
  }

  tick(now: Instant, effects: ProxyEffect[]): void {
    this.#now = now
    this.#effects = effects
    this.#following.tick(now, effects)
    this.#children.flushNext(effects)
  }

  #join(doc: DocumentKey, request: JoinRequest): void {
    this.#following.keep(doc)
    const document = this.#documents.get(doc) ?? this.#follow(doc)
    if (document.follower.hasState) {
      document.downstream.join(request, document.follower.replica.position, this.#effects)
      this.#flush(doc)
      this.#lingerIfUnused(doc, document)
    } else if (this.#following.hasParent) {
      document.waiting.set(request.link, request)
    } else {
      this.#refuseForWant(doc, request)
      this.#lingerIfUnused(doc, document)
    }
  }

  /** Who waited for the parent's first answer need not wait for the next parent's. */
  #refuseWaiting(): void {
    if (this.#following.hasParent) return
    for (const [doc, document] of this.#documents) {
      for (const request of takeAll(document.waiting)) this.#refuseForWant(doc, request)
      this.#lingerIfUnused(doc, document)
    }
  }

  #refuseForWant(doc: DocumentKey, request: JoinRequest): void {
    this.#refuse(doc, request, 'FANFOLD_NO_PARENT', 'this node has no parent now', retryAfterMs)
  }

  #left(doc: DocumentKey, link: LinkId): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.waiting.delete(link)
    this.#lingerIfUnused(doc, document)
  }

  #lingerIfUnused(doc: DocumentKey, document: ProxyDocument): void {
    if (document.downstream.count > 0 || document.waiting.size > 0) return
    this.#following.release(doc, this.#now)
  }

  #follow(doc: DocumentKey): ProxyDocument {
    const follower = this.#following.follow(doc, this.#now, this.#effects)
    const channel = this.#children.assignChannel(doc)
    const downstream = new Downstream({
      doc,
      channel,
      ring: follower.ring,
      chain: this.#chain,
      source: follower,
      ceiling: () => follower.upstream.ceiling,
      staleness: () => this.#stalenessOf(doc),
    })
    const document: ProxyDocument = { follower, downstream, channel, waiting: new Map() }
    this.#documents.set(doc, document)
    return document
  }

  #letGo(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    this.#following.unfollow(doc, this.#effects)
    this.#documents.delete(doc)
    this.#children.releaseChannel(document.channel)
  }

  #flush(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    this.#children.setBusy(doc, document.downstream.flush(this.#effects))
    // That a record does not apply shows when a snapshot is to be made.
    if (document.follower.replica.isBroken) this.#following.restart(doc, this.#now, this.#effects)
  }

  #told(doc: DocumentKey, event: FollowingEvent): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    switch (event.kind) {
      case 'records': {
        const [first] = event.records
        let bytes = 0
        for (const record of event.records) bytes += record.bytes.length
        this.#effects.push({
          kind: 'fact',
          fact: {
            event: 'records-forwarded',
            records: event.records.length,
            bytes,
            committedAtMs: first?.timeMs ?? 0,
          },
        })
        this.#flush(doc)
        return
      }
      case 'reset':
      case 'ceiling':
        document.downstream.restart(document.follower.replica.position, this.#effects)
        return
      case 'joined':
        for (const request of takeAll(document.waiting)) {
          document.downstream.join(request, document.follower.replica.position, this.#effects)
        }
        this.#flush(doc)
        return
      case 'refused':
        this.#upstreamRefused(doc, document, event)
        return
      case 'resync':
        this.#effects.push({ kind: 'fact', fact: { event: 'resync', doc, reason: event.reason } })
        return
      case 'snapshot-ready':
        this.#flush(doc)
        return
      case 'caught-up': {
        const { rung, tookMs } = event
        this.#effects.push({ kind: 'fact', fact: { event: 'caught-up', doc, rung, tookMs } })
        return
      }
      case 'staleness':
        document.downstream.tellStaleness(this.#effects)
        return
      case 'unused':
        this.#letGo(doc)
        return
    }
  }

  #upstreamRefused(
    doc: DocumentKey,
    document: ProxyDocument,
    event: Extract<FollowingEvent, { kind: 'refused' }>,
  ): void {
    const { code, message } = event
    this.#effects.push({ kind: 'fact', fact: { event: 'upstream-refused', doc, code, message } })
    for (const request of takeAll(document.waiting)) {
      this.#refuse(doc, request, code, message, event.final ? 0 : retryAfterMs)
    }
    if (event.final) {
      document.downstream.end(code, message, this.#effects)
      this.#letGo(doc)
    } else {
      this.#lingerIfUnused(doc, document)
    }
  }

  /** From what is at hand, or else the parent is asked: once, however many children wait. */
  #requestVariant(hash: string, link: LinkId): void {
    const variant = this.#following.variant(hash)
    if (variant === undefined && this.#variantRequests.add(hash, link)) {
      const isWanted = this.#following.wantVariant(hash)
      assert(isWanted, 'children wait for no more variants than may be wanted')
      return
    }
    this.#children.answerVariant(hashBytes(hash), [link], variant, this.#effects)
  }

  /** A child that is told that there is none asks again, if it still wants it. */
  #answerVariant(hash: string, variant: SignedVariant | undefined): void {
    this.#following.unwantVariant(hash)
    const links = this.#variantRequests.take(hash)
    this.#children.answerVariant(hashBytes(hash), links, variant, this.#effects)
  }

  #stalenessOf(doc: DocumentKey): { readonly stale: boolean; readonly ageMs: number } {
    const staleFor = this.#following.staleFor(doc, this.#now)
    return { stale: staleFor !== undefined, ageMs: Math.floor((staleFor ?? 0) / 1000) }
  }

  #refuse(
    doc: DocumentKey,
    request: JoinRequest,
    code: ErrorCode,
    message: string,
    retryMs: number,
  ): void {
    const frame = encodeLinkFrame(refusal(doc, code, message, retryMs))
    this.#effects.push({ kind: 'link-send', link: request.link, frame })
  }
}

/** The bytes of a variant's name, which came as bytes. */
function hashBytes(hash: string): Uint8Array {
  const bytes = fromHex(hash)
  assert(bytes !== undefined, `the name of a variant is hexadecimal, got ${hash}`)
  return bytes
}

/** Everything that waits, which then waits no more. */
function takeAll(waiting: Map<LinkId, JoinRequest>): JoinRequest[] {
  const requests = [...waiting.values()]
  waiting.clear()
  return requests
}
