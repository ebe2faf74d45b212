/*
 * How a node gets the edge variants that it does not have: it asks its parents, one after the other.
 *
 * A variant is asked for once at a time, however many want it, and only so many are asked for at a
 * time: a parent answers no more. What no parent has, or answers for, is asked for again after a while as
 * long as somebody wants it, and at once when a parent has come. A name is the SHA-256 of
 * the text, so whoever sends it, it is the right one; who vouches for it is checked where it is run.
 */
import {
  after,
  assert,
  Backoff,
  Deadlines,
  type EffectSink,
  equalBytes,
  fromHex,
  type Instant,
  milliseconds,
  type Prng,
  type Sha256,
  sha256Bytes,
  toHex,
} from '@fanfold/kernel'
import {
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  ProtocolError,
  limits as protocolLimits,
  type SignedVariant,
} from '@fanfold/protocol'
import type { HeldVariants } from './held-variants.ts'

/** Bounds of the variants of one node. */
export type VariantLimits = {
  /** Bytes of variants kept at hand. */
  readonly heldBytesMax: number
  /** Variants that may be wanted at a time. */
  readonly wantedMax: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
}

/** Limits that suit a node with some dozens of definitions. */
export const defaultVariantLimits: VariantLimits = {
  heldBytesMax: 16_777_216,
  wantedMax: 4_096,
  backoffBaseMs: 50,
  backoffMaxMs: 5_000,
}

/** What became of a variant that is wanted: here, or not to be had now. */
export type TellVariant = (hash: string, variant: SignedVariant | undefined) => void

/** What a parent says of variants. */
export type VariantFrame = Extract<LinkFrame, { kind: 'variant' | 'no-variant' }>

/** A variant that is wanted. */
type Wanted = {
  readonly backoff: Backoff
  /** Parents that were asked since the last wait. */
  readonly asked: Set<LinkId>
}

/** The variants that a node wants and does not have, by name in hexadecimal digits. */
export class WantedVariants {
  readonly #sha256: Sha256
  readonly #prng: Prng
  readonly #limits: VariantLimits
  readonly #answerMaxMs: number
  readonly #held: HeldVariants
  readonly #tell: TellVariant
  readonly #wanted = new Map<string, Wanted>()
  /** Wanted, and next to be asked for or told, the longest waiting first. */
  readonly #queue = new Set<string>()
  /** Wanted, and asked of a parent. */
  readonly #asked = new Map<string, LinkId>()
  /** When the answer must be there for what is asked, when to ask again for what is not. */
  readonly #deadlines = new Deadlines<string>()
  #parents: readonly LinkId[] = []

  constructor(options: {
    readonly sha256: Sha256
    readonly prng: Prng
    readonly limits: VariantLimits
    /** How long the parent may take to answer. */
    readonly answerMaxMs: number
    /** Where what comes is kept. */
    readonly held: HeldVariants
    /** Called from inside `pump`, `receive` and `tick`. */
    readonly tell: TellVariant
  }) {
    this.#sha256 = options.sha256
    this.#prng = options.prng
    this.#limits = options.limits
    this.#answerMaxMs = options.answerMaxMs
    this.#held = options.held
    this.#tell = options.tell
  }

  /** The links to the parents that are asked, in the order in which they are. */
  get parents(): readonly LinkId[] {
    return this.#parents
  }

  /** Variants wanted. */
  get count(): number {
    return this.#wanted.size
  }

  /** True when `pump` has something to do. */
  get isPumpDue(): boolean {
    return this.#queue.size > 0 && (this.#parents.length === 0 || this.#hasRoom)
  }

  /** When `tick` has something to do, beside pumping. */
  wakeAt(): Instant | undefined {
    return this.#deadlines.wakeAt()
  }

  /**
   * The variant is wanted until it is here; what becomes of it is told, every time it turns out that
   * it cannot be had now too. False, and nothing is told, when too many are wanted.
   */
  want(hash: string): boolean {
    if (this.#wanted.has(hash)) return true
    if (this.#wanted.size >= this.#limits.wantedMax) return false
    const { backoffBaseMs, backoffMaxMs } = this.#limits
    const waits = { base: milliseconds(backoffBaseMs), max: milliseconds(backoffMaxMs) }
    this.#wanted.set(hash, { backoff: new Backoff(waits, this.#prng), asked: new Set() })
    this.#queue.add(hash)
    return true
  }

  /** Nobody wants the variant any more. */
  unwant(hash: string): void {
    this.#wanted.delete(hash)
    this.#queue.delete(hash)
    this.#asked.delete(hash)
    this.#deadlines.set(hash, undefined)
  }

  /** These parents are asked from now on: all that is wanted, but for what one of them is asked already. */
  attach(parents: readonly LinkId[]): void {
    this.#parents = parents
    for (const [hash, { backoff, asked }] of this.#wanted) {
      const link = this.#asked.get(hash)
      if (link !== undefined && parents.includes(link)) continue
      this.#asked.delete(hash)
      asked.clear()
      backoff.reset()
      this.#deadlines.set(hash, undefined)
      this.#queue.add(hash)
    }
  }

  /** Asks for what is next, and tells of what is here or cannot be asked for. */
  pump(now: Instant, effects: EffectSink<LinkEffect>): void {
    // What is wanted again while it is told of has its turn in the next call.
    for (let left = this.#queue.size; left > 0; left--) {
      const [hash] = this.#queue
      if (hash === undefined) return
      const variant = this.#held.get(hash)
      if (variant !== undefined) {
        this.#satisfy(hash, variant)
      } else if (this.#parents.length === 0) {
        this.#queue.delete(hash)
        this.#tell(hash, undefined)
      } else if (this.#hasRoom) {
        this.#ask(hash, now, effects)
      } else {
        return
      }
    }
  }

  /**
   * Takes a parent's answer; one that nobody waits for is nothing.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when the text is not the one of the name
   */
  receive(frame: VariantFrame, link: LinkId, now: Instant, effects: EffectSink<LinkEffect>): void {
    if (frame.kind === 'variant') {
      this.#take(frame.variant)
    } else {
      const hash = toHex(frame.hash)
      if (this.#asked.get(hash) === link) this.#failed(hash, now)
    }
    this.pump(now, effects)
  }

  /** Does what is due: an answer that did not come, or a wait that is over. */
  tick(now: Instant, effects: EffectSink<LinkEffect>): void {
    for (const hash of this.#deadlines.due(now)) {
      if (this.#asked.has(hash)) this.#failed(hash, now)
      else this.#queue.add(hash)
    }
    this.pump(now, effects)
  }

  get #hasRoom(): boolean {
    return this.#asked.size < protocolLimits.variantsAskedMax.value
  }

  /** Asks the next parent that was not asked since the last wait. */
  #ask(hash: string, now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#queue.delete(hash)
    const before = this.#wanted.get(hash)?.asked
    const parent = this.#parents.find(link => before?.has(link) === false)
    assert(before !== undefined && parent !== undefined, `${hash} is wanted, of somebody to ask`)
    before.add(parent)
    this.#asked.set(hash, parent)
    this.#deadlines.set(hash, after(now, milliseconds(this.#answerMaxMs)))
    const frame = encodeLinkFrame({ kind: 'request-variant', hash: hashBytes(hash) })
    effects.push({ kind: 'link-send', link: parent, frame })
  }

  #take(variant: SignedVariant): void {
    const hash = toHex(variant.hash)
    // Late is as good as in time; what nobody wants is not even hashed.
    if (!this.#wanted.has(hash)) return
    const digest = new Uint8Array(sha256Bytes)
    this.#sha256(variant.code, digest, 0)
    if (!equalBytes(digest, variant.hash)) {
      const message = `a variant whose text has the hash ${hash}, got ${toHex(digest)}`
      throw new ProtocolError('FANFOLD_BAD_FRAME', message)
    }
    const kept = owned(variant)
    this.#held.put(hash, kept)
    this.#satisfy(hash, kept)
  }

  #satisfy(hash: string, variant: SignedVariant): void {
    this.unwant(hash)
    this.#tell(hash, variant)
  }

  #failed(hash: string, now: Instant): void {
    this.#asked.delete(hash)
    const wanted = this.#wanted.get(hash)
    if (wanted === undefined) return
    const { asked, backoff } = wanted
    if (this.#parents.some(link => !asked.has(link))) {
      this.#deadlines.set(hash, undefined)
      this.#queue.add(hash)
      return
    }
    asked.clear()
    this.#deadlines.set(hash, after(now, backoff.next()))
    this.#tell(hash, undefined)
  }
}

/** The variant in memory of its own: its parts are views of a frame, which may be of something larger. */
const owned = ({ hash, type, token, signature, code }: SignedVariant): SignedVariant => ({
  hash: new Uint8Array(hash),
  type,
  token,
  signature: new Uint8Array(signature),
  code: new Uint8Array(code),
})

function hashBytes(hash: string): Uint8Array {
  const bytes = fromHex(hash)
  assert(
    bytes?.length === sha256Bytes,
    `the name of a variant in 64 hexadecimal digits, got ${hash}`,
  )
  return bytes
}
