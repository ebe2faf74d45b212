/*
 * The edge variants that an edge runs, shared by its documents.
 *
 * A document that is under a variant which is not loaded wants it, until it is here or the document
 * does not need it any more. Getting it is the stream's business (it asks the parent, again and
 * again), running it the rim's; here is who waits for which, and since when. A variant that cannot be
 * had, that the rim refuses, or that is not here in time is missing: its documents are told so, and
 * again when it has come after all.
 */
import type { EdgeDefinition } from '@fanfold/definition'
import {
  after,
  Backoff,
  Deadlines,
  type Duration,
  type Instant,
  milliseconds,
  type Prng,
} from '@fanfold/kernel'
import { ViewRules } from '@fanfold/privacy'
import type { DocumentKey, SignedVariant } from '@fanfold/protocol'
import type { ParentVariants } from '@fanfold/replication'

/** What variants ask of the edge. */
export type VariantsPort = {
  /** Where variants are got, sooner or later. */
  readonly parents: Pick<ParentVariants, 'want' | 'unwant' | 'drop'>
  /** Runs a variant; `loaded` or `refused` follows. */
  load(variant: SignedVariant): void
  /** The variant that the document wants is here, or missing. */
  changed(doc: DocumentKey): void
}

/** Variants that no document needs are kept up to this number, the last used ones. */
const unusedMax = 32
/** Waits before a variant that could not be run is got again. */
const againAfter = { base: milliseconds(1_000), max: milliseconds(60_000) }

/** The text of a variant, and how often the rim is about to run it. */
type Code = { readonly text: Uint8Array; loads: number }

type Wanted = {
  readonly docs: Set<DocumentKey>
  readonly backoff: Backoff
  isMissing: boolean
}

/** Variants by name, in hexadecimal digits. */
export class Variants {
  readonly #port: VariantsPort
  readonly #prng: Prng
  readonly #waitMax: Duration
  /** In order of last use. */
  readonly #loaded = new Map<string, ViewRules>()
  /** Texts of those that are loaded, or about to be. */
  readonly #codes = new Map<string, Code>()
  readonly #users = new Map<string, Set<DocumentKey>>()
  readonly #wanted = new Map<string, Wanted>()
  /** When a wanted variant is missing, or is to be wanted again. */
  readonly #deadlines = new Deadlines<string>()

  constructor(options: {
    readonly port: VariantsPort
    readonly prng: Prng
    /** How long documents wait before they say that they do. */
    readonly waitMaxMs: number
  }) {
    this.#port = options.port
    this.#prng = options.prng
    this.#waitMax = milliseconds(options.waitMaxMs)
  }

  /** Variants loaded. */
  get count(): number {
    return this.#loaded.size
  }

  /** The rules of a variant, if it is loaded. */
  get(hash: string): ViewRules | undefined {
    const rules = this.#loaded.get(hash)
    if (rules === undefined) return undefined
    this.#loaded.delete(hash)
    this.#loaded.set(hash, rules)
    return rules
  }

  /** The text of a variant, if it came over a link and is loaded. */
  code(hash: string): Uint8Array | undefined {
    return this.#codes.get(hash)?.text
  }

  /** True when a wanted variant cannot be had now. */
  isMissing(hash: string): boolean {
    return this.#wanted.get(hash)?.isMissing === true
  }

  /** The document is under this variant, or under none. */
  use(doc: DocumentKey, hash: string | undefined, before: string | undefined): void {
    if (hash === before) return
    if (before !== undefined) this.#release(before, doc)
    if (hash === undefined) return
    const users = this.#users.get(hash) ?? new Set()
    this.#users.set(hash, users.add(doc))
  }

  /** The document cannot go on without this variant. */
  want(doc: DocumentKey, hash: string, now: Instant): void {
    const before = this.#wanted.get(hash)
    if (before !== undefined) {
      before.docs.add(doc)
      return
    }
    const backoff = new Backoff(againAfter, this.#prng)
    const wanted: Wanted = { docs: new Set([doc]), backoff, isMissing: false }
    this.#wanted.set(hash, wanted)
    if (this.#port.parents.want(hash)) {
      this.#deadlines.set(hash, after(now, this.#waitMax))
    } else {
      wanted.isMissing = true
      this.#deadlines.set(hash, after(now, backoff.next()))
    }
  }

  /** The document does not want this variant any more. */
  unwant(doc: DocumentKey, hash: string): void {
    const wanted = this.#wanted.get(hash)
    if (wanted?.docs.delete(doc) !== true || wanted.docs.size > 0) return
    this.#wanted.delete(hash)
    this.#deadlines.set(hash, undefined)
    // Its text stays until it is loaded, which it may be about to be, or refused.
    this.#port.parents.unwant(hash)
  }

  /** The stream has the variant, or cannot get it now and goes on trying. */
  got(hash: string, variant: SignedVariant | undefined): void {
    const wanted = this.#wanted.get(hash)
    if (wanted === undefined) return
    if (variant === undefined) {
      this.#miss(wanted)
      return
    }
    const code = this.#codes.get(hash) ?? { text: variant.code, loads: 0 }
    code.loads++
    this.#codes.set(hash, code)
    this.#port.load(variant)
  }

  /** The rim has run the variant; false, and it is refused, when its rules are none. */
  loaded(hash: string, definition: EdgeDefinition, now: Instant): boolean {
    let rules: ViewRules
    try {
      rules = new ViewRules(definition)
    } catch {
      this.refused(hash, now)
      return false
    }
    this.#loaded.set(hash, rules)
    this.#ran(hash)
    const wanted = this.#wanted.get(hash)
    this.#wanted.delete(hash)
    this.#deadlines.set(hash, undefined)
    this.#port.parents.unwant(hash)
    for (const doc of wanted?.docs ?? []) this.#port.changed(doc)
    this.#dropUnused()
    return true
  }

  /** The rim cannot run the variant, or may not. */
  refused(hash: string, now: Instant): void {
    this.#ran(hash)
    // It was wanted again before it was here, and one of the two times is enough.
    if (this.#loaded.has(hash)) return
    this.#port.parents.drop(hash)
    const wanted = this.#wanted.get(hash)
    if (wanted === undefined) return
    this.#deadlines.set(hash, after(now, wanted.backoff.next()))
    this.#miss(wanted)
  }

  wakeAt(): Instant | undefined {
    return this.#deadlines.wakeAt()
  }

  /** Says what is not here in time, and wants again what could not be run. */
  tick(now: Instant): void {
    for (const hash of this.#deadlines.due(now)) {
      const wanted = this.#wanted.get(hash)
      if (wanted === undefined) continue
      // The rim may have kept a load to itself: after the wait it is asked anew, and so on.
      this.#deadlines.set(hash, after(now, wanted.backoff.next()))
      this.#port.parents.want(hash)
      this.#miss(wanted)
    }
  }

  /** The rim has tried to run it: the text stays while it runs, or is about to. */
  #ran(hash: string): void {
    const code = this.#codes.get(hash)
    if (code === undefined) return
    code.loads--
    if (code.loads <= 0 && !this.#loaded.has(hash)) this.#codes.delete(hash)
  }

  #miss(wanted: Wanted): void {
    if (wanted.isMissing) return
    wanted.isMissing = true
    for (const doc of [...wanted.docs]) this.#port.changed(doc)
  }

  #release(hash: string, doc: DocumentKey): void {
    const users = this.#users.get(hash)
    users?.delete(doc)
    if (users?.size === 0) this.#users.delete(hash)
    this.#dropUnused()
  }

  #dropUnused(): void {
    let unused = this.#loaded.size - this.#users.size
    if (unused <= unusedMax) return
    for (const hash of this.#loaded.keys()) {
      if (unused <= unusedMax) return
      if (this.#users.has(hash)) continue
      this.#loaded.delete(hash)
      if ((this.#codes.get(hash)?.loads ?? 0) <= 0) this.#codes.delete(hash)
      unused--
    }
  }
}
