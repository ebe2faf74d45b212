/*
 * What became of each thing that viewers said: what is told to count does, once, at that moment; what nobody can tell counts
 * once at most; what was rejected never does. What an edge has heard that lives, of a document that stays, counts in the end.
 */
import type { JsonObject } from '@fanfold/document'
import type { Instant } from '@fanfold/kernel'
import type {
  DocumentKey,
  LinkFrame,
  LogRecord,
  PeerIdentity,
  ViewerFrame,
} from '@fanfold/protocol'
import type { Problems } from '../problems.ts'
import type { Tally } from '../tally.ts'
import { CrowdEar } from './crowd-ear.ts'
import { CrowdLog } from './crowd-log.ts'
import type { Said, Saying, SayingFrame } from './saying.ts'
import { ToldWaits } from './told-waits.ts'
import { WindowSums } from './window-sums.ts'

/** A frame by which a viewer is told what became of something. */
export type CrowdFrame = Extract<ViewerFrame, { type: SayingFrame }>

type Upward = Extract<LinkFrame, { kind: 'crowd' }>
type Answer = Extract<LinkFrame, { kind: 'crowd-answer' }>

/** Whether a frame is one. */
export const isCrowdFrame = (frame: ViewerFrame): frame is CrowdFrame =>
  frame.type === 'counted' || frame.type === 'unknown' || frame.type === 'rejected'

/** All that viewers of a world say. */
export class CrowdCheck {
  readonly #problems: Problems
  readonly #tally: Tally
  readonly #windows = new WindowSums()
  readonly #log: CrowdLog
  readonly #waits: ToldWaits
  readonly #now: () => Instant
  readonly #sayings = new Map<string, Saying>()
  /** Those of which it is not known yet what becomes of them. */
  readonly #open = new Set<Saying>()

  constructor(options: {
    readonly problems: Problems
    readonly tally: Tally
    readonly clockDriftShare: number
    readonly now: () => Instant
  }) {
    const { problems, tally, clockDriftShare } = options
    this.#problems = problems
    this.#now = options.now
    this.#waits = new ToldWaits(clockDriftShare)
    this.#tally = tally
    const problem = (text: string): void => problems.add(text)
    this.#log = new CrowdLog({ windows: this.#windows, problem, clockDriftShare, tally })
  }

  /** A viewer says something. */
  said(said: Said): void {
    this.#sayings.set(said.name, { ...said, fate: 'said', told: undefined })
    this.#tally.add('said')
  }

  /** A process of an edge begins. */
  ear(edge: string): CrowdEar {
    return new CrowdEar(edge, {
      find: name => this.#sayings.get(name),
      heard: saying => this.#open.add(saying),
      settled: saying => this.#settled(saying),
      problem: text => this.#problems.add(text),
    })
  }

  /** A node says to its parent what the crowd below it says. */
  says(child: PeerIdentity, parent: PeerIdentity, { doc, number }: Upward): void {
    const now = this.#now()
    const tooSoon = this.#waits.says(child, parent, { doc, number, now })
    if (tooSoon !== undefined) this.#problems.add(`${child.node} says to ${parent.node} ${tooSoon}`)
  }

  /** That comes to the parent. */
  goesUp({ node, roles }: PeerIdentity, { doc, aggregate }: Upward): void {
    const wrong = this.#windows.take(doc, aggregate, roles.includes('edge'))
    if (wrong !== undefined) this.#problems.add(`${node}: of ${doc} ${wrong}`)
  }

  /** A node is answered. */
  answered(child: PeerIdentity, { doc, number, waitMs }: Answer): void {
    this.#waits.answered(child, doc, number, waitMs)
  }

  /** A parent serves the document from now on, or sends it a snapshot. */
  joined(child: PeerIdentity, doc: DocumentKey): void {
    this.#waits.joined(child, doc)
  }

  /** A record is durable. */
  recorded(doc: DocumentKey, record: LogRecord, state: JsonObject | undefined): void {
    this.#log.take(doc, record, state, this.#now())
  }

  /** A viewer is told what became of something that it has said on this connection. */
  tells(viewer: string, frame: CrowdFrame): void {
    const { type, doc, id } = frame
    this.#tally.add(type === 'rejected' ? `told rejected ${frame.code}` : `told ${type}`)
    if (id === undefined) return
    const saying = this.#sayings.get(String(id))
    if (saying?.viewer !== viewer || saying.doc !== doc || !saying.hasId) {
      this.#problems.add(`${viewer} is told of ${id}, which it has not said of ${doc}`)
      return
    }
    if (saying.told !== undefined) {
      this.#problems.add(`${viewer} is told ${type} of ${id}, and was told ${saying.told}`)
    }
    saying.told = type
    const isSo = type === 'unknown' ? /unknown|lost/.test(saying.fate) : true
    const count = this.#countOf(saying)
    const isRight =
      type === 'counted' ? count === 1 : type === 'rejected' ? count === 0 : count <= 1
    if (isSo && (isRight || saying.reducer !== 'said')) return
    this.#problems.add(
      `${viewer} is told ${type} of ${id}, which ${saying.fate} and counts ${count}`,
    )
  }

  /** What is heard and of which nobody knows what becomes of it, in words; undefined for nothing. */
  get unfinished(): string | undefined {
    const [saying] = this.#open
    return saying && `what ${saying.viewer} has said, ${saying.name}, is not counted`
  }

  /** At the end: everything that was said counts as often as it is to. */
  audit(): void {
    const kinds = new Map<string, { readonly doc: DocumentKey; sure: number; most: number }>()
    for (const saying of this.#sayings.values()) {
      const { doc, reducer, operand, name, fate } = saying
      this.#tally.add(`saying ${fate}`)
      const [sure, most] = bounds[fate]
      const kind = kinds.get(`${doc} ${operand}`) ?? { doc, sure: 0, most: 0 }
      if (reducer === 'kinds') {
        kind.sure += sure
        kind.most += most
        kinds.set(`${doc} ${operand}`, kind)
        continue
      }
      const count = this.#countOf(saying)
      if (count >= sure && count <= most) continue
      this.#problems.add(`${name} of ${doc}, which is ${fate}, counts ${count} times`)
    }
    for (const [key, { doc, sure, most }] of kinds) {
      const operand = key.slice(doc.length + 1)
      const count = this.#log.countOf(doc, 'kinds', operand)
      if (count >= sure && count <= most) continue
      this.#problems.add(`${operand} counts ${count} times in ${doc}, and is ${sure} to ${most}`)
    }
    this.#auditStrangers()
  }

  /** Nothing counts that nobody has said. */
  #auditStrangers(): void {
    for (const doc of new Set([...this.#sayings.values()].map(saying => saying.doc))) {
      for (const key of this.#log.counted(doc).keys()) {
        const [reducer, operand = ''] = key.split(' ')
        if (reducer !== 'said' || this.#sayings.get(operand)?.doc === doc) continue
        this.#problems.add(`${operand} counts in ${doc}, which nobody has said of it`)
      }
    }
  }

  #settled(saying: Saying): void {
    this.#open.delete(saying)
    if (saying.fate === 'lost' && !this.#log.isDeleted(saying.doc)) {
      this.#problems.add(`${saying.name} is lost, and ${saying.doc} was not deleted`)
    }
    if (saying.fate !== 'counted' || saying.reducer !== 'said') return
    const count = this.#countOf(saying)
    if (count === 1) return
    this.#problems.add(
      `${saying.name} of ${saying.doc} is counted for its edge, and counts ${count}`,
    )
  }

  #countOf({ doc, reducer, operand }: Saying): number {
    return this.#log.countOf(doc, reducer, operand)
  }
}

/** How often something counts at least and at most, by what became of it. */
const bounds: Readonly<Record<Saying['fate'], readonly [number, number]>> = {
  said: [0, 1],
  heard: [1, 1],
  rejected: [0, 0],
  counted: [1, 1],
  unknown: [0, 1],
  lost: [0, 1],
  died: [0, 1],
}
