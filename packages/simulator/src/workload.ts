/* Who observes and who writes in a world, drawn up front from the seed. */
import { after, assert, type Instant, instant, milliseconds, type Prng } from '@fanfold/kernel'
import { type DocumentKey, type Grants, parseDocumentKey } from '@fanfold/protocol'
import {
  type BoardMessage,
  boardType,
  countersDiffer,
  sayingsMax,
  subjects,
  teams,
} from './board.ts'
import { type BoardRules, drawCrowd, drawRules, drawViewState } from './board-rules.ts'
import { drawSaying } from './crowd/drawn-saying.ts'
import { drawLargeRow, drawMessage, drawSizedMessage } from './drawn-message.ts'
import { drawTokens } from './drawn-tokens.ts'
import { endOfMs } from './fault.ts'
import { ModelViewer } from './model-viewer.ts'
import { ModelWriters } from './model-writer.ts'
import type { PipeProfile } from './pipe.ts'
import { mayBeLarge, type SimulationOptions } from './simulation-options.ts'
import type { World } from './world.ts'
import type { WorldWatch } from './world-watch.ts'
import { type ProfiledWrite, ProfiledWrites } from './write-profile.ts'

const writerProfile: PipeProfile = {
  delayMin: milliseconds(5),
  delayMean: milliseconds(5),
  bytesPerSecond: 1_000_000,
}

/** Addresses of edges that a viewer is given, at most. */
const endpointsMax = 3

/** New definitions are loaded between these parts of the busy time. */
const definedFrom = 0.15
const definedTo = 0.85
/** Documents are deleted between these. */
const deletedFrom = 0.2
const deletedTo = 0.95
/** Tokens end between these, and others are shown from then on. */
const endedFrom = 0.2
const endedTo = 0.9
const renewedFrom = 0.1
/** The messages of a round are sent within this time. */
const roundMs = 300
/** Share of those who have another token that show it in a round. */
const roundRenewingShare = 0.3
/** Viewers have something to say from this part of the busy time on, and so often in a round. */
const saidFrom = 0.1
const roundSayings = 6
/** Documents are created within this part of the busy time. */
const createShare = 0.1

/** The viewers and writers of one world. */
export class Workload {
  readonly docs: readonly DocumentKey[]
  readonly viewers: readonly ModelViewer[]
  readonly writers: ModelWriters
  readonly #world: World
  readonly #options: SimulationOptions
  readonly #watch: WorldWatch | undefined
  readonly #rounds: Prng
  readonly #roundTokens: Prng
  readonly #sayings: Prng
  /** Things that were said, or could not be; so names are told apart. */
  #said = 0
  readonly #profiled: ProfiledWrites | undefined
  #busyUntil: Instant

  constructor(world: World, options: SimulationOptions, watch?: WorldWatch) {
    this.#watch = watch
    this.#world = world
    this.#options = options
    this.#rounds = world.stream('rounds')
    this.#roundTokens = world.stream('round tokens')
    this.#sayings = world.stream('sayings')
    this.#busyUntil = instant(options.busyMs * 1000)
    this.docs = Array.from({ length: options.documents }, (_, index) =>
      parseDocumentKey(`acme/${boardType}/${index}`),
    )
    this.writers = new ModelWriters({
      clock: world.clock,
      prng: world.stream('writers'),
      problems: world.problems,
      profile: writerProfile,
      doors: world.authorities,
      log: world.history,
      losses: world.stream('lost lines'),
      tally: world.tally,
    })
    for (const authority of world.authorities) {
      authority.answerTo({
        answered: effect => this.writers.answered(effect),
        lost: () => this.writers.lost(authority),
      })
    }
    const { writeProfile: profile, documents } = options
    this.#profiled =
      profile && new ProfiledWrites({ profile, prng: world.stream('profile'), documents })
    this.#planDefinitions()
    this.#planWrites()
    this.#planDeletions()
    this.#planFaults()
    this.#planLooks()
    const { viewers, viewersKept } = options
    this.viewers = Array.from({ length: viewers }, (_, index) => index)
      .filter(index => viewersKept?.includes(index) ?? true)
      .map(index => this.#viewer(index))
    this.#planSayings(options.sayings, () => this.#drawTime(this.#sayings, saidFrom, 1))
  }

  /** From then on nobody comes or goes, and nothing new is sent. */
  get busyUntil(): Instant {
    return this.#busyUntil
  }

  /** Why the world has not converged; undefined when everybody has everything. */
  get unfinished(): string | undefined {
    if (!this.writers.isDone) return 'writes are under way'
    for (const viewer of this.viewers) {
      const { lagging } = viewer
      if (lagging !== undefined) return lagging
    }
    return this.#world.crowd.unfinished ?? this.#unwatched ?? this.#world.unsettled
  }

  /** A document that does not say how many watch it, in words; undefined when all that are to do. */
  get #unwatched(): string | undefined {
    if (this.#options.sayings === 0) return undefined
    for (const doc of this.docs) {
      const watching = this.viewers.filter(viewer => viewer.observes(doc)).length
      const difference = this.#world.presenceDiffers(doc, watching)
      if (difference !== undefined) return difference
    }
    return undefined
  }

  /** What has lost records is written to once more: who has it finds out by that, and nobody by anything else. */
  mend(): void {
    const { clock, history } = this.#world
    const prng = this.#world.stream('mending')
    for (const doc of history.behind) {
      const action = { type: 'send' as const, ...drawMessage(prng, this.#options.textBytesMax) }
      this.writers.plan('mender', { doc, action, mayCreate: true, sendAt: [clock.now] })
    }
  }

  /** Some more is written, from now on: what is broken may show only then. */
  goOn(): void {
    const { clock } = this.#world
    const from = clock.now
    this.#planMessages(this.#rounds, {
      writes: this.#options.roundWrites,
      from,
      forMs: roundMs,
      drawTime: () => instant(from + milliseconds(this.#rounds.below(roundMs))),
    })
    const sayings = this.#options.sayings === 0 ? 0 : roundSayings
    this.#planSayings(sayings, () => instant(from + milliseconds(this.#sayings.below(roundMs))))
    for (const viewer of this.viewers) {
      if (!viewer.canRenew || !this.#roundTokens.chance(roundRenewingShare)) continue
      const at = instant(from + milliseconds(this.#roundTokens.below(roundMs)))
      this.#plan(at, () => viewer.renew())
    }
    this.#busyUntil = instant(from + milliseconds(roundMs))
  }

  /** All viewers leave. */
  leave(): void {
    for (const viewer of this.viewers) viewer.disconnect()
  }

  /** At the end: what was acknowledged is there, once. */
  audit(): void {
    const { history, problems } = this.#world
    this.writers.audit(history)
    for (const doc of this.docs) {
      const messages = this.writers
        .committed(doc, history)
        .filter((action): action is BoardMessage & { type: 'send' } => action.type === 'send')
      const difference = countersDiffer(messages, history.lastState(doc))
      if (difference !== undefined) problems.add(`${doc}: ${difference}`)
    }
    this.#world.crowd.audit()
  }

  /** Looks at trees of documents once more, each at some node, when all is as it will be. */
  auditTrees(): void {
    if (this.#options.looks === 0) return
    const prng = this.#world.stream('last looks')
    const { lookers } = this.#world
    lookers.audit(this.docs.map(doc => [doc, prng.pick(lookers.nodes)] as const))
  }

  #planLooks(): void {
    const prng = this.#world.stream('looks')
    const { lookers } = this.#world
    for (let count = this.#options.looks; count > 0; count--) {
      const doc = prng.pick(this.docs)
      this.#plan(this.#drawTime(prng, 0, 1), () => lookers.look(prng.pick(lookers.nodes), doc))
    }
  }

  #planDefinitions(): void {
    const prng = this.#world.stream('definitions')
    const crowds = this.#world.stream('crowds')
    const draw = (): BoardRules => {
      const rules = drawRules(prng, subjects)
      return this.#options.sayings === 0 ? rules : { ...rules, crowd: drawCrowd(crowds) }
    }
    this.#world.define(draw())
    for (let count = this.#options.definitionChanges; count > 0; count--) {
      const rules = draw()
      this.#plan(this.#drawTime(prng, definedFrom, definedTo), () => this.#world.define(rules))
    }
  }

  #planWrites(): void {
    const { writes, writesKept, busyMs } = this.#options
    const prng = this.#world.stream('writes')
    for (const [index, doc] of this.docs.entries()) {
      // Some documents are created by request, the others by the first message that may.
      if (index % 2 === 1) continue
      const sendAt = [this.#drawTime(prng, 0, createShare)]
      this.writers.plan('creator', { doc, action: { type: 'create' }, mayCreate: true, sendAt })
    }
    this.#planMessages(prng, {
      writes,
      writesKept,
      from: instant(0),
      forMs: busyMs,
      drawTime: () => this.#drawTime(prng, 0, 1),
    })
  }

  #planMessages(
    prng: Prng,
    options: {
      readonly writes: number
      readonly writesKept?: readonly number[] | undefined
      readonly from: Instant
      readonly forMs: number
      /** Where no profile says when. */
      readonly drawTime: () => Instant
    },
  ): void {
    const { writers, duplicateShare, busyMs, textBytesMax } = this.#options
    const profiled = this.#profiled?.next(options.writes, options.forMs)
    if (profiled !== undefined) this.#countProfiled(profiled)
    for (let index = 0; index < options.writes; index++) {
      const one = profiled?.[index]
      const docIndex = one?.begins ?? prng.below(this.docs.length)
      const doc = this.docs[docIndex]
      assert(doc !== undefined, `document ${docIndex} of ${this.docs.length} exists`)
      const sendAt = [one ? after(options.from, milliseconds(one.afterMs)) : options.drawTime()]
      if (prng.chance(duplicateShare)) {
        const lateMs = prng.chance(0.5) ? prng.below(20) : prng.below(Math.max(1, busyMs / 2))
        sendAt.push(instant((sendAt[0] ?? 0) + milliseconds(lateMs)))
      }
      const subject = `writer-${prng.below(writers)}`
      const message = one ? drawProfiled(prng, one) : drawMessage(prng, textBytesMax)
      const action = { type: 'send' as const, ...message }
      // Drawn all the same, so that those that are kept are what they were.
      if (options.writesKept?.includes(index) === false) continue
      this.writers.plan(subject, { doc, action, mayCreate: docIndex % 2 === 1, sendAt })
    }
  }

  #countProfiled(writes: readonly ProfiledWrite[]): void {
    const { tally } = this.#world
    if (writes.length > 0)
      tally.add(`written as ${this.#options.writeProfile?.name}`, writes.length)
    if (writes[0]?.begins !== undefined) tally.add('document large from the beginning')
  }

  /** Things that viewers say, each drawn as it was, whoever of them comes. */
  #planSayings(count: number, drawTime: () => Instant): void {
    const { viewers } = this.#options
    for (let left = viewers === 0 ? 0 : count; left > 0 && this.#said < sayingsMax; left--) {
      const by = `viewer-${this.#sayings.below(viewers)}`
      const at = drawTime()
      const drawn = drawSaying(this.#sayings, `${by.slice('viewer-'.length)}.${this.#said++}`)
      const viewer = this.viewers.find(({ name }) => name === by)
      this.#plan(at, () => viewer?.say(drawn))
    }
  }

  #planDeletions(): void {
    const prng = this.#world.stream('deletions')
    for (let count = this.#options.deletions; count > 0; count--) {
      const doc = prng.pick(this.docs)
      const sendAt = [this.#drawTime(prng, deletedFrom, deletedTo)]
      this.writers.plan('deleter', { doc, action: { type: 'delete' }, mayCreate: false, sendAt })
    }
  }

  #planFaults(): void {
    for (const fault of this.#options.faults) {
      this.#plan(instant(milliseconds(fault.atMs)), () => this.#world.begin(fault))
      // Those that last are over before the world heals.
      this.#plan(instant(milliseconds(endOfMs(fault))), () => this.#world.endOf(fault))
    }
  }

  #viewer(index: number): ModelViewer {
    const { roamingShare, fickleShare, slowShare, slowBytesPerSecond } = this.#options
    const { entitledShare, viewStatesMax } = this.#options
    const name = `viewer-${index}`
    const prng = this.#world.stream(name)
    const { clock, trace, problems, oracle, doors } = this.#world
    const first = prng.below(this.docs.length)
    const count = Math.min(this.#options.documentsPerViewer, this.docs.length)
    const docs = Array.from(
      { length: count },
      (_, offset) => this.docs[(first + offset) % this.docs.length] as DocumentKey,
    )
    const bytesPerSecond = prng.chance(slowShare)
      ? slowBytesPerSecond * (1 + 2 * prng.fraction())
      : 500_000
    // A stream of its own: who is paced shifts nothing else.
    const pace = this.#world.stream(`${name} pace`)
    const maxRate = pace.chance(this.#options.pacedShare) ? 1 + pace.below(10) : undefined
    const profile: PipeProfile = {
      delayMin: milliseconds(1 + prng.below(60)),
      delayMean: milliseconds(5),
      bytesPerSecond,
    }
    const line = this.#world.stream(`${name} line`)
    const home = line.below(doors.length)
    const { tokens, renewals } = this.#tokens(name, docs, {
      subject: prng.pick(subjects),
      claims: {
        tier: prng.chance(entitledShare) ? 1 + prng.below(2) : 0,
        team: prng.pick(teams),
      },
    })
    const viewer = new ModelViewer({
      doors: [...doors.slice(home), ...doors.slice(0, home)].slice(0, endpointsMax),
      prng: line,
      name,
      clock,
      trace,
      problems,
      oracle,
      docs,
      tokens,
      profile,
      maxRate,
      mayBeLarge: mayBeLarge(this.#options),
      watch: this.#watch,
      tally: this.#world.tally,
      crowd: this.#world.crowd,
    })
    const connectAt = (at: Instant): void => {
      const door = prng.pick(doors)
      this.#plan(at, () => viewer.connect(door))
    }
    connectAt(this.#drawTime(prng, 0, 0.7))
    for (let trips = prng.chance(roamingShare) ? 1 + prng.below(3) : 0; trips > 0; trips--) {
      const leaveAt = this.#drawTime(prng, 0.2, 0.8)
      this.#plan(leaveAt, () => viewer.disconnect())
      connectAt(instant(leaveAt + milliseconds(prng.below(500))))
    }
    if (prng.chance(fickleShare)) {
      const doc = prng.pick(docs)
      const leaveAt = this.#drawTime(prng, 0.2, 0.7)
      this.#plan(leaveAt, () => viewer.want(doc, false))
      const backAt = instant(leaveAt + milliseconds(prng.below(1_500)))
      this.#plan(backAt, () => viewer.want(doc, true))
    }
    for (let looks = prng.below(viewStatesMax + 1); looks > 0; looks--) {
      const doc = prng.pick(docs)
      const viewState = drawViewState(prng)
      this.#plan(this.#drawTime(prng, 0, 1), () => viewer.look(doc, viewState))
    }
    for (const at of renewals) this.#plan(at, () => viewer.renew())
    return viewer
  }

  /** Who a viewer is, and when it becomes somebody else; a stream of its own shifts nothing else. */
  #tokens(
    name: string,
    docs: readonly DocumentKey[],
    first: Pick<Grants, 'subject' | 'claims'>,
  ): { readonly tokens: readonly Grants[]; readonly renewals: readonly Instant[] } {
    const { renewingShare, expiringShare } = this.#options
    const prng = this.#world.stream(`${name} tokens`)
    const { wallMs } = this.#world.clock
    const { tokens, renewals } = drawTokens(prng, {
      first,
      docs,
      renewingShare,
      expiringShare,
      drawEndMs: () => wallMs + Math.floor(this.#drawTime(prng, endedFrom, endedTo) / 1000),
    })
    const times = Array.from({ length: renewals }, () => this.#drawTime(prng, renewedFrom, 1))
    return { tokens, renewals: times }
  }

  #plan(at: Instant, act: () => void): void {
    if (at > this.#busyUntil) this.#busyUntil = at
    this.#world.clock.at(at, act)
  }

  /** A time between two shares of the busy time. */
  #drawTime(prng: Prng, from: number, to: number): Instant {
    return instant(this.#options.busyMs * 1000 * (from + (to - from) * prng.fraction()))
  }
}

const drawProfiled = (prng: Prng, { begins, bytes }: ProfiledWrite): BoardMessage =>
  begins === undefined ? drawSizedMessage(prng, bytes) : drawLargeRow(prng, bytes)
