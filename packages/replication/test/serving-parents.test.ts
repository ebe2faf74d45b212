import { type DocumentKey, decodeLinkFrame, type LinkId, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { link } from './build-stream.ts'
import { linkEffects, Rig, welcome } from './following-rig.ts'

/** More than move in two turns. */
const keys: readonly DocumentKey[] = Array.from({ length: 1_100 }, (_, index) =>
  parseDocumentKey(`acme/match/m${index}`),
)

type Step =
  | { readonly do: 'open' | 'tick' | 'wait' }
  | { readonly do: 'close' | 'hand-over' | 'answer' | 'bounce'; readonly which: number }
  | { readonly do: 'follow' | 'unfollow'; readonly from: number; readonly count: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('open', 'tick') }),
  fc.record({
    do: fc.constantFrom('close', 'hand-over', 'answer', 'bounce'),
    which: fc.nat({ max: 2 }),
  }),
  fc.record({
    do: fc.constantFrom('follow', 'unfollow'),
    from: fc.nat({ max: keys.length }),
    count: fc.nat({ max: 700 }),
  }),
)
const wait: fc.Arbitrary<Step> = fc.record({ do: fc.constant('wait') })

/** A parent as it sees itself. */
type Parent = { readonly link: LinkId; readonly joined: Set<DocumentKey>; isGoing: boolean }

/** A node and the parents that it is connected to. */
class World {
  readonly rig = new Rig()
  readonly followed = new Set<DocumentKey>()
  readonly parents: Parent[] = []
  #opened = 0

  /** Follows all documents from one parent. */
  constructor() {
    this.do({ do: 'open' })
    this.do({ do: 'follow', from: 0, count: keys.length })
  }

  do(step: Step): void {
    switch (step.do) {
      case 'open':
        this.#open()
        break
      case 'close':
        this.#close(this.parents[step.which])
        break
      case 'bounce':
        this.#close(this.parents[step.which])
        this.#open()
        break
      case 'hand-over':
        this.#handOver(this.parents[step.which])
        break
      case 'answer':
        this.#answer(this.parents[step.which])
        break
      case 'follow':
      case 'unfollow':
        for (const key of keys.slice(step.from, step.from + step.count)) this.#want(key, step.do)
        break
      case 'tick':
        this.rig.pass(0)
        break
      case 'wait':
        this.rig.pass(2_000)
    }
    this.#deliver()
  }

  /** Turns that take no time, until none is wanted at once and each parent has answered. */
  rest(): boolean {
    for (let turn = 0; turn < 40; turn++) {
      const isBusy = this.rig.following.wakeAt() === this.rig.now
      if (!isBusy && !this.#isAnyQueued) return true
      if (isBusy) this.do({ do: 'tick' })
      else for (const parent of this.parents) this.#welcome(parent)
    }
    return false
  }

  /** True while documents have their turn to be asked for yet to come. */
  get #isAnyQueued(): boolean {
    return keys.some(key => this.rig.following.get(key)?.upstream.isQueued === true)
  }

  #welcome(parent: Parent): void {
    for (const key of parent.joined) {
      this.rig.take([welcome('snapshot', keys.indexOf(key), key)], parent.link)
    }
    this.#deliver()
  }

  /** Documents that are not served as they should be, by name. */
  wrong(mayGo: boolean): string[] {
    const stays = this.parents.filter(({ isGoing }) => !isGoing)
    const wrong: string[] = []
    for (const key of keys) {
      const serving = this.parents.filter(({ joined }) => joined.has(key))
      const isDue = this.followed.has(key) && this.parents.length > 0
      const isOnce = serving.length === (isDue ? 1 : 0)
      const isKnown = this.rig.following.get(key)?.upstream.link === serving[0]?.link
      const isStaying = mayGo || stays.length === 0 || serving.every(({ isGoing }) => !isGoing)
      if (!isOnce || !isKnown || !isStaying) wrong.push(key)
    }
    return wrong
  }

  #open(): void {
    if (this.parents.length === 3) return
    this.#opened++
    const parent = { link: link(this.#opened), joined: new Set<DocumentKey>(), isGoing: false }
    this.parents.push(parent)
    this.rig.open(parent.link)
  }

  #close(parent: Parent | undefined): void {
    if (parent === undefined) return
    this.parents.splice(this.parents.indexOf(parent), 1)
    this.rig.close(parent.link)
  }

  #handOver(parent: Parent | undefined): void {
    if (parent === undefined) return
    parent.isGoing = true
    this.rig.take([{ kind: 'signal', signal: 'hand-over', doc: undefined, value: 0 }], parent.link)
  }

  #answer(parent: Parent | undefined): void {
    if (parent === undefined) return
    for (const [index, key] of [...parent.joined].entries()) {
      if (index % 3 === 0) this.rig.take([welcome('snapshot', keys.indexOf(key), key)], parent.link)
      else if (index % 3 === 1) this.rig.take([refused(key)], parent.link)
    }
  }

  #want(key: DocumentKey, how: 'follow' | 'unfollow'): void {
    if (how === 'follow' && !this.followed.has(key)) {
      this.followed.add(key)
      this.rig.follow(key)
    } else if (how === 'unfollow' && this.followed.delete(key)) {
      this.rig.unfollow(key)
    }
  }

  /** Who is gone hears nothing. */
  #deliver(): void {
    for (const effect of linkEffects(this.rig.effects())) {
      const parent = this.parents.find(({ link }) => link === effect.link)
      const frame = effect.kind === 'link-send' ? decodeLinkFrame(effect.frame) : undefined
      const isAsked = frame?.kind === 'join' || frame?.kind === 'request-replay'
      if (isAsked) parent?.joined.add(frame.doc)
      else if (frame?.kind === 'leave') parent?.joined.delete(frame.doc)
    }
  }
}

const refused = (doc: DocumentKey) =>
  ({ kind: 'refused', doc, code: 'FANFOLD_OVERLOADED', message: '', retryAfterMs: 0 }) as const

const steps = (arbitrary: fc.Arbitrary<Step>): fc.Arbitrary<Step[]> =>
  fc.array(arbitrary, { minLength: 1, maxLength: 25, size: 'max' })

t.test('whatever parents do, each document is served once, by one that stays', async t => {
  const property = fc.property(steps(step), steps => {
    const world = new World()
    for (const step of steps) world.do(step)
    return world.rest() && world.wrong(false).length === 0
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 40 }))
})

t.test('parents that are silent, too, leave each document served once', async t => {
  const property = fc.property(steps(fc.oneof(step, wait)), steps => {
    const world = new World()
    for (const step of steps) world.do(step)
    return world.rest() && world.wrong(true).length === 0
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 40 }))
})
