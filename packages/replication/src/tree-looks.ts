/*
 * Who has a document from whom: a node that is asked passes the question up the tree to who is at its top, and that
 * one asks down the tree. All goes over the links that are there.
 *
 *   asked at an edge ──▶ its proxy ──▶ the authority: its children ──▶ theirs …
 *                    ◀── as it came ◀── its own standing, and what they have told in time
 *
 * Bound: a look at what is below asks a child for each entry that it may fill, at most 512 nodes in all, and what
 * was seen is told again to who asks within a quarter of a second. Each node has few looks and few questions under
 * way, and each hop has 200 ms less than the one before, so every answer is there in time.
 */
import {
  after,
  between,
  Deadlines,
  type Duration,
  type EffectSink,
  type Instant,
  milliseconds,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type LinkInput,
  limits,
  type PeerIdentity,
  type TreeEntry,
  type TreeRole,
  type TreeStanding,
} from '@fanfold/protocol'
import type { RouteInput } from './parent-effect.ts'
import { TreeAsking } from './tree-asking.ts'
import { TreeGather, toldBy } from './tree-gather.ts'
import { treeShares } from './tree-shares.ts'

/** For how long the answer to who looks at a node is waited for, ms. */
export const treeWithinMs = 4_000
/** By so much less a question is passed on: the way there and back, and the answer's way on. */
const hop = milliseconds(200)
/** What was seen is told again for so long. */
const keptFor = milliseconds(250)
/** Of a look that had less time than this next to nothing is seen. */
const worthKeeping = milliseconds(500)
/** Trees that are kept so at a time. */
const keptMax = 64
/** Looks at what is below, at a time. */
const gathersMax = 16
/** Questions that wait for an answer from above, at a time. */
const questionsMax = 64
/** Questions of one link that wait for an answer. */
const questionsPerLinkMax = 8
/** How often it is looked whether there is somebody above who can be asked. */
const againEvery = milliseconds(50)

/** A frame of a look. */
export type TreeFrame = Extract<LinkFrame, { kind: 'request-tree' | 'tree' }>

/** What a role tells of a document of its own. */
export type OwnStanding = Omit<TreeStanding, 'notAsked'>

/** A node that has a document from this one. */
export type TreeChild = {
  readonly link: LinkId
  readonly peer: PeerIdentity
  /** Edges below it, as it last said; 0 when it has not. */
  readonly edgesBelow: number
}

/** Somebody looks at the process, and wants to know of a document's tree: that is told within `treeWithinMs`. */
export type TreeAsked = {
  readonly kind: 'tree-asked'
  readonly look: number
  readonly doc: DocumentKey
}

/** What is known of the tree: nothing when it cannot be told now. A first entry without names is of this role itself. */
export type TreeTold = {
  readonly kind: 'tree-told'
  readonly look: number
  readonly entries: readonly TreeEntry[]
}

/** What a look leads to. */
type TreeEffect = LinkEffect | TreeTold

/** What is asked of the role. */
export type TreeLooksPort = {
  readonly role: TreeRole
  standingOf(doc: DocumentKey, now: Instant): OwnStanding
  childrenOf(doc: DocumentKey): readonly TreeChild[]
  /** The link to who has the document from above: `nobody` for who is at the top, `later` when there may be one soon. */
  above(doc: DocumentKey): LinkId | 'nobody' | 'later'
  /** The link of the parent that serves the document. */
  servedBy(doc: DocumentKey): LinkId | undefined
}

/** Who is told, by then with what there is. */
type Asker = { readonly deadline: Instant } & (
  | { readonly kind: 'rim'; readonly look: number }
  | { readonly kind: 'link'; readonly link: LinkId; readonly number: number }
)

/** All of a tree is asked about, and somebody above may know. */
type Question = {
  readonly doc: DocumentKey
  readonly asker: Asker
  /** Until then somebody above may yet be found. */
  readonly searchUntil: Instant
  /** Under which number it was passed on. */
  number: number | undefined
}

/** What is below is looked at for these. */
type Look = {
  readonly gather: TreeGather
  /** By then children have answered who do. */
  readonly deadline: Instant
  askers: readonly Asker[]
  readonly isWhole: boolean
  readonly isWorthKeeping: boolean
  /** Under which children were asked. */
  readonly numbers: number[]
}

type Effects = EffectSink<TreeEffect>

/** The looks at trees that go through a role. */
export class TreeLooks {
  readonly #port: TreeLooksPort
  /** Who is at the other end of links that this node has opened. */
  readonly #parents = new Map<LinkId, PeerIdentity>()
  readonly #questions = new Set<Question>()
  readonly #looks = new Set<Look>()
  readonly #asking = new TreeAsking<TreeEffect>()
  readonly #kept = new Map<DocumentKey, readonly TreeEntry[]>()
  readonly #due = new Deadlines<Question | Look | DocumentKey>()

  constructor(port: TreeLooksPort) {
    this.#port = port
  }

  /** Questions and looks under way, and what is kept of looks. */
  get count(): number {
    return this.#questions.size + this.#looks.size + this.#kept.size + this.#asking.count
  }

  /** Somebody looks at the process. */
  ask({ look, doc }: TreeAsked, now: Instant, effects: Effects): void {
    const deadline = after(now, milliseconds(treeWithinMs))
    this.#question({ kind: 'rim', look, deadline }, doc, now, effects)
  }

  /** Takes what happened to links, when the role has; whatever else it takes is no matter here. */
  notice(input: LinkInput | RouteInput, now: Instant, effects: Effects): void {
    if (input.kind === 'link-closed') this.#closed(input.link, now, effects)
    if (input.kind !== 'link-opened' || !input.dialled) return
    this.#parents.set(input.link, input.peer)
    for (const question of this.#questions) {
      if (question.number === undefined) this.#goUp(question, now, effects)
    }
  }

  /** The link to a node of this name; of several the one that opened last. */
  linkTo(node: string): LinkId | undefined {
    let found: LinkId | undefined
    for (const [link, peer] of this.#parents) if (peer.node === node) found = link
    return found
  }

  /** True for a link that this node has dialled. */
  isDialled(link: LinkId): boolean {
    return this.#parents.has(link)
  }

  /** Takes a frame of a parent or of a child. */
  receive(link: LinkId, frame: TreeFrame, now: Instant, effects: Effects): void {
    if (frame.kind === 'tree') {
      this.#asking.answered(link, frame, now, effects)
      return
    }
    const { doc, number, isWhole, entriesMax } = frame
    const deadline = after(now, milliseconds(Math.min(frame.withinMs, treeWithinMs)))
    const asker: Asker = { kind: 'link', link, number, deadline }
    if (isWhole) this.#question(asker, doc, now, effects)
    else if (this.#port.servedBy(doc) !== link) this.#tell(asker, [], effects)
    else this.#look(asker, { doc, isWhole, entriesMax }, now, effects)
  }

  wakeAt(): Instant | undefined {
    return this.#due.wakeAt()
  }

  /** Ends what has had its time. */
  tick(now: Instant, effects: Effects): void {
    for (const due of this.#due.due(now)) {
      if (typeof due === 'string') this.#kept.delete(due)
      else if ('gather' in due) this.#tellDue(due, now, effects)
      else this.#goUp(due, now, effects)
    }
  }

  /** Who was asked over it does not answer, and who has asked needs no answer. */
  #closed(link: LinkId, now: Instant, effects: Effects): void {
    this.#parents.delete(link)
    for (const question of this.#questions) {
      if (isOf(question.asker, link)) this.#forget(question)
    }
    for (const look of this.#looks) {
      look.askers = look.askers.filter(asker => !isOf(asker, link))
    }
    this.#asking.closed(link, now, effects)
  }

  #question(asker: Asker, doc: DocumentKey, now: Instant, effects: Effects): void {
    if (!this.#mayAsk(asker)) {
      this.#tell(asker, [], effects)
      return
    }
    const searching = (between(now, asker.deadline) / 2) as Duration
    const question = { doc, asker, searchUntil: after(now, searching), number: undefined }
    this.#questions.add(question)
    this.#goUp(question, now, effects)
  }

  #mayAsk(asker: Asker): boolean {
    if (this.#questions.size >= questionsMax) return false
    if (asker.kind === 'rim') return true
    const waiting = [...this.#questions].map(({ asker }) => asker)
    const looking = [...this.#looks].flatMap(({ askers }) => askers)
    const own = [...waiting, ...looking].filter(other => isOf(other, asker.link))
    return own.length < questionsPerLinkMax
  }

  /** The question goes to who is above; where there is nobody in time, this node tells what it knows. */
  #goUp(question: Question, now: Instant, effects: Effects): void {
    const { doc, asker, searchUntil } = question
    if (now >= asker.deadline) {
      this.#lookHere(question, now, effects)
      return
    }
    // It is passed on, and waits for the answer or its end.
    if (question.number !== undefined) return
    const above = this.#port.above(doc)
    if (above === 'nobody' || (above === 'later' && now >= searchUntil)) {
      this.#lookHere(question, now, effects)
    } else if (above === 'later') {
      this.#due.set(question, after(now, againEvery))
    } else {
      const within = (between(now, asker.deadline) - hop) as Duration
      if (within <= 0) this.#lookHere(question, now, effects)
      else this.#passOn(question, above, within, effects)
    }
  }

  #passOn(question: Question, link: LinkId, within: Duration, effects: Effects): void {
    const { doc, asker } = question
    this.#due.set(question, asker.deadline)
    const entriesMax = limits.treeEntriesMax.value
    const peer = this.#parents.get(link)
    question.number = this.#asking.ask(
      { link, doc, isWhole: true, within, entriesMax },
      (entries, now, effects) => {
        question.number = undefined
        const named = entries && peer && fromAbove(entries, peer)
        if (named !== undefined) {
          this.#forget(question)
          this.#tell(asker, named, effects)
        } else if (entries === undefined) {
          this.#goUp(question, now, effects)
        } else {
          this.#lookHere(question, now, effects)
        }
      },
      effects,
    )
  }

  /** Nobody above tells more: this node is the top of what is seen. */
  #lookHere(question: Question, now: Instant, effects: Effects): void {
    this.#forget(question)
    const { doc, asker } = question
    const kept = this.#kept.get(doc)
    if (kept !== undefined) {
      this.#tell(asker, kept, effects)
      return
    }
    for (const look of this.#looks) {
      if (!look.isWhole || look.gather.doc !== doc) continue
      look.askers = [...look.askers, asker]
      this.#due.set(look, dueAt(look))
      return
    }
    const entriesMax = limits.treeEntriesMax.value
    this.#look(asker, { doc, isWhole: true, entriesMax }, now, effects)
  }

  #look(
    asker: Asker,
    wanted: {
      readonly doc: DocumentKey
      readonly isWhole: boolean
      readonly entriesMax: number
    },
    now: Instant,
    effects: Effects,
  ): void {
    const { doc, isWhole, entriesMax } = wanted
    const { deadline } = asker
    const { role } = this.#port
    const children = this.#port.childrenOf(doc)
    const within = (between(now, deadline) - hop) as Duration
    const isAsking = within > 0 && this.#looks.size < gathersMax
    const shares = isAsking ? treeShares(children, entriesMax - 1) : []
    const standing = this.#port.standingOf(doc, now)
    const notAsked = children.length - shares.length
    const gather = new TreeGather({ doc, role, standing: { ...standing, notAsked } })
    const isWorthKeeping = isWhole && isAsking && between(now, deadline) >= worthKeeping
    const askers = [asker]
    const look: Look = { gather, deadline, askers, isWhole, isWorthKeeping, numbers: [] }
    this.#looks.add(look)
    this.#due.set(look, deadline)
    for (const { child, entries: share } of shares) {
      const { link, peer } = child
      const answered = gather.ask({ link, peer, entriesMax: share })
      const number = this.#asking.ask(
        { link, doc, isWhole: false, within, entriesMax: share },
        (entries, now, effects) => {
          answered(entries)
          if (gather.isOver) this.#finish(look, now, effects)
        },
        effects,
      )
      look.numbers.push(number)
    }
    if (gather.isOver) this.#finish(look, now, effects)
  }

  /** Those who can wait no longer are told what there is. */
  #tellDue(look: Look, now: Instant, effects: Effects): void {
    if (now >= look.deadline) {
      this.#finish(look, now, effects)
      return
    }
    const due = look.askers.filter(({ deadline }) => now >= deadline)
    look.askers = look.askers.filter(asker => !due.includes(asker))
    this.#due.set(look, dueAt(look))
    for (const asker of due) this.#tell(asker, look.gather.entries(), effects)
  }

  /** All have answered, or have had their time. */
  #finish(look: Look, now: Instant, effects: Effects): void {
    this.#looks.delete(look)
    this.#due.set(look, undefined)
    for (const number of look.numbers) this.#asking.forget(number)
    const { doc } = look.gather
    const entries = look.gather.entries()
    if (look.isWorthKeeping && this.#kept.size < keptMax) {
      this.#kept.set(doc, entries)
      this.#due.set(doc, after(now, keptFor))
    }
    for (const asker of look.askers) this.#tell(asker, entries, effects)
  }

  #forget(question: Question): void {
    this.#questions.delete(question)
    this.#due.set(question, undefined)
    this.#asking.forget(question.number)
  }

  #tell(asker: Asker, entries: readonly TreeEntry[], effects: Effects): void {
    if (asker.kind === 'rim') {
      effects.push({ kind: 'tree-told', look: asker.look, entries })
      return
    }
    const frame = encodeLinkFrame({ kind: 'tree', number: asker.number, entries })
    effects.push({ kind: 'link-send', link: asker.link, frame })
  }
}

/** What a parent has told: of itself, or passed on as it came from above. Undefined when that is nothing. */
function fromAbove(
  entries: readonly TreeEntry[],
  peer: PeerIdentity,
): readonly TreeEntry[] | undefined {
  const [first] = entries
  if (first === undefined) return undefined
  if (first.node === '') return toldBy(entries, peer)
  return entries.every(({ node }) => node !== '') ? entries : undefined
}

/** When somebody is to be told, whoever has answered. */
const dueAt = ({ askers, deadline }: Look): Instant =>
  askers.reduce((due, asker) => (asker.deadline < due ? asker.deadline : due), deadline)

const isOf = (asker: Asker, link: LinkId): boolean => asker.kind === 'link' && asker.link === link
