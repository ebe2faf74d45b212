/* Whatever parents answer, in whatever order: who is served goes on being served while nobody is lost. */
import { decodeLinkFrame, type LinkFrame, type LinkId, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import type { FollowingEvent } from '../src/following-event.ts'
import { after, link } from './build-stream.ts'
import { head, linkEffects, log, Rig, snapshotFrames } from './following-rig.ts'

const nodes = ['a', 'b', 'c', 'd']
const key = parseDocumentKey('acme/match/final')

type Answer = 'taken' | 'no-tail' | 'refused' | 'silent'

/** What may happen, to one of four nodes or to the document. */
type Step =
  | { readonly do: 'open' | 'close' | 'hand-over'; readonly node: number }
  | { readonly do: 'answer'; readonly node: number; readonly answer: Answer }
  | { readonly do: 'follow' | 'unfollow' | 'record' }
  | { readonly do: 'route'; readonly route: readonly number[] }
  | { readonly do: 'wait'; readonly ms: number }

const node = fc.nat({ max: 3 })
const answer = fc.constantFrom<Answer>('taken', 'taken', 'taken', 'no-tail', 'refused', 'silent')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open'), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('close', 'hand-over'), node }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('answer'), node, answer }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('follow', 'record', 'record') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unfollow') }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('route'), route: fc.shuffledSubarray([0, 1, 2, 3]) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(1, 60, 2_100) }),
  },
)

/** A parent as it sees itself. */
type Parent = {
  readonly node: string
  readonly link: LinkId
  /** What it was asked for last, while it has not answered. */
  asked: Extract<LinkFrame, { kind: 'join' }> | undefined
  /** What the child has from it; undefined for nothing. */
  cursor: number | undefined
  isGoing: boolean
}

/** Nodes that all have the same document, and one that follows it. */
class World {
  readonly #rig: Rig
  #route: readonly string[] = nodes
  readonly #parents = new Map<string, Parent>()
  #seq = 10
  #opened = 0
  #shown = 0
  isFollowed = false
  /** How often who served was left for another one. */
  moves = 0

  constructor() {
    this.#rig = new Rig({ routes: { routeOf: () => this.#route } })
    this.#rig.onTold = (_doc, event) => this.#told(event)
  }

  /** Does it, and says what is not as it should be. */
  do(step: Step): string | undefined {
    const serving = this.#serving
    const wasLive = this.#isLive
    this.#do(step)
    this.#deliver()
    const isLost =
      step.do === 'unfollow' || (step.do === 'close' && nodes[step.node] === serving?.node)
    if (wasLive && !isLost && this.#serving !== serving) this.moves++
    if (wasLive && !isLost && !this.#isLive) return `not served any more after ${step.do}`
    const having = [...this.#parents.values()].filter(
      ({ asked, cursor }) => asked !== undefined || cursor !== undefined,
    )
    if (having.length > (this.isFollowed ? 2 : 0)) return `${having.length} parents have it`
    if (this.#isLive && this.#serving?.cursor === undefined) return 'served by nobody'
    return undefined
  }

  /** Everybody answers, time and again: what is not as it should be then. */
  settle(): string | undefined {
    for (let turn = 0; turn < 12; turn++) {
      for (const { node } of this.#parents.values()) {
        const wrong = this.do({ do: 'answer', node: nodes.indexOf(node), answer: 'taken' })
        if (wrong !== undefined) return wrong
      }
      this.do({ do: 'wait', ms: 11_000 })
    }
    const there = this.#route.filter(node => this.#parents.has(node))
    const best = there.find(node => this.#parents.get(node)?.isGoing === false)
    if (!this.isFollowed || best === undefined) return undefined
    const having = [...this.#parents.values()].filter(({ cursor }) => cursor !== undefined)
    if (having.length !== 1 || having[0]?.node !== best) {
      return `served by ${having.map(({ node }) => node)}, not ${best}`
    }
    return this.#shown === this.#seq ? undefined : `shown is ${this.#shown} of ${this.#seq}`
  }

  get #isLive(): boolean {
    return this.#rig.following.get(key)?.upstream.isLive === true
  }

  get #serving(): Parent | undefined {
    const serving = this.#rig.following.get(key)?.upstream.link
    return [...this.#parents.values()].find(({ link }) => link === serving)
  }

  #do(step: Step): void {
    switch (step.do) {
      case 'open':
      case 'close':
      case 'hand-over':
      case 'answer':
        this.#doTo(nodes[step.node] ?? '', step)
        return
      case 'follow':
      case 'unfollow':
        if (this.isFollowed === (step.do === 'follow')) return
        this.isFollowed = step.do === 'follow'
        this.#shown = 0
        if (this.isFollowed) this.#rig.follow(key)
        else this.#rig.unfollow(key)
        return
      case 'record':
        this.#seq++
        for (const parent of this.#parents.values()) this.#send(parent)
        return
      case 'route':
        this.#route = step.route.map(index => nodes[index] ?? '')
        this.#rig.reroute()
        return
      case 'wait':
        this.#rig.pass(step.ms)
    }
  }

  #doTo(node: string, step: Extract<Step, { node: number }>): void {
    const there = this.#parents.get(node)
    if (step.do === 'open' && there === undefined) {
      const opened = link(++this.#opened)
      const fresh = { node, link: opened, asked: undefined, cursor: undefined, isGoing: false }
      this.#parents.set(node, fresh)
      this.#rig.open(opened, node)
    } else if (step.do === 'close' && there !== undefined) {
      this.#parents.delete(node)
      this.#rig.close(there.link)
    } else if (step.do === 'hand-over' && there !== undefined) {
      there.isGoing = true
      const signal = { kind: 'signal', signal: 'hand-over', doc: undefined, value: 0 } as const
      this.#rig.take([signal], there.link)
    } else if (step.do === 'answer' && there?.asked !== undefined) {
      this.#answer(there, there.asked, step.answer)
    }
  }

  /** As a parent does: it refuses who is ahead, and has the tail for whoever has something. */
  #answer(parent: Parent, join: Extract<LinkFrame, { kind: 'join' }>, answer: Answer): void {
    if (answer === 'silent') return
    parent.asked = undefined
    const isTail = join.take === 'tail'
    if (answer === 'refused' || (answer === 'no-tail' && isTail)) {
      const code = answer === 'refused' ? 'FANFOLD_OVERLOADED' : 'FANFOLD_NO_TAIL'
      const frame = { kind: 'refused', doc: key, code, message: '', retryAfterMs: 0 } as const
      this.#rig.take([frame], parent.link)
      return
    }
    const channel = parent.link
    const mode = join.have === undefined ? 'snapshot' : 'tail'
    parent.cursor = join.have?.seq ?? head.seq
    const at = { head: after(log[this.#seq - 1]), ceiling: 239 }
    this.#rig.take([{ kind: 'welcome', doc: key, channel, mode, ...at }], parent.link)
    if (mode === 'snapshot') this.#rig.take(snapshotFrames(head, channel), parent.link)
    this.#send(parent)
  }

  #send(parent: Parent): void {
    if (parent.cursor === undefined) return
    const records = log.slice(parent.cursor, this.#seq)
    parent.cursor = this.#seq
    const channel = parent.link
    if (records.length > 0) this.#rig.take([{ kind: 'records', channel, records }], parent.link)
  }

  #deliver(): void {
    for (const effect of linkEffects(this.#rig.effects())) {
      const frame = effect.kind === 'link-send' ? decodeLinkFrame(effect.frame) : undefined
      const parent = [...this.#parents.values()].find(({ link }) => link === effect.link)
      if (parent === undefined) continue
      if (frame?.kind === 'join') parent.asked = frame
      if (frame?.kind === 'join' || frame?.kind === 'leave') parent.cursor = undefined
      if (frame?.kind === 'leave') parent.asked = undefined
    }
  }

  #told(event: FollowingEvent): void {
    if (event.kind === 'reset') {
      this.#shown = this.#rig.following.get(key)?.replica.position.seq ?? 0
    } else if (event.kind === 'records') {
      for (const { seq } of event.records) {
        if (this.#shown !== seq - 1) throw new Error(`record ${seq} after ${this.#shown}`)
        this.#shown = seq
      }
    }
  }
}

t.test('who is served is served on while nobody is lost, and in the end by the best', async t => {
  const steps = fc.array(step, { minLength: 30, maxLength: 80, size: 'max' })
  let moves = 0
  const property = fc.property(steps, steps => {
    const world = new World()
    world.do({ do: 'open', node: 0 })
    world.do({ do: 'follow' })
    world.do({ do: 'answer', node: 0, answer: 'taken' })
    for (const step of steps) {
      const wrong = world.do(step)
      if (wrong !== undefined) throw new Error(wrong)
    }
    const wrong = world.settle()
    if (wrong !== undefined) throw new Error(wrong)
    moves += world.moves
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_500 }))
  t.ok(moves > 200, `${moves} moves`)
})
