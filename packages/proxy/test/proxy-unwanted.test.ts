/*
 * Whatever children and the parent do, a document is followed for a while longer than somebody wants it.
 */
import type { LinkFrame } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import {
  child,
  doc,
  link,
  log,
  parent,
  positionAt,
  Rig,
  records,
  snapshot,
  welcome,
} from './build-proxy.ts'

const children = [child, link(2)]

const who = fc.nat({ max: 1 })
const have = fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined })
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('join', 'join-tail', 'replay'), who, have }),
  fc.record({ kind: fc.constantFrom('leave', 'leave-replay', 'bounce', 'grant'), who }),
  fc.record({ kind: fc.constantFrom('congest', 'drain', 'signal'), who }),
  fc.record({
    kind: fc.constantFrom(
      'serve',
      'tail',
      'refuse',
      'refuse-for-good',
      'records',
      'gap',
      'replayed',
    ),
  }),
  fc.record({ kind: fc.constantFrom('replay-ended', 'replay-refused', 'parent-bounce', 'lower') }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 3_000 }) }),
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

const refused = (code: 'FANFOLD_NO_DOCUMENT' | 'FANFOLD_DELETED') =>
  ({ kind: 'refused', doc, code, message: '', retryAfterMs: 0 }) as const

/** A proxy with its children, and a parent that goes on with the log. */
class World {
  readonly rig = new Rig({ lingerMs: 10_000 })
  /** Seq of the last record that the parent sent. */
  #seq = 10
  #parent = parent
  #replay = 1

  constructor() {
    for (const id of [parent, ...children]) this.rig.open(id)
  }

  take(step: Step): void {
    const { rig } = this
    const from = children['who' in step ? step.who : 0] ?? child
    switch (step.kind) {
      case 'join':
      case 'join-tail': {
        const take = step.kind === 'join' ? 'any' : 'tail'
        const have = step.have === undefined ? undefined : positionAt(step.have)
        rig.frame(from, { kind: 'join', doc, have, credit: 100_000, take, codecs: 0 })
        break
      }
      case 'replay': {
        const have = step.have === undefined ? undefined : positionAt(step.have)
        rig.frame(from, { kind: 'request-replay', doc, replay: 1, have, credit: 500 })
        break
      }
      case 'leave':
        rig.frame(from, { kind: 'leave', doc })
        break
      case 'leave-replay':
        rig.frame(from, { kind: 'leave-replay', replay: 1 })
        break
      case 'grant':
        rig.frame(from, { kind: 'replay-credit', replay: 1, bytes: 500 })
        break
      case 'signal':
        rig.frame(from, { kind: 'signal', signal: 'presence', doc, value: 3 })
        break
      case 'bounce':
        rig.close(from)
        rig.open(from)
        break
      case 'congest':
      case 'drain':
        rig.congest(from, step.kind === 'congest')
        break
      case 'pass':
        rig.pass(step.ms)
        break
      default:
        this.#parentDoes(step.kind)
    }
  }

  /** Nobody wants anything any more, and the parent goes on for a while. */
  end(how: 'serve' | 'refuse' | 'records' | 'parent-bounce'): number {
    for (const id of children) this.rig.close(id)
    for (let second = 0; second < 40 && this.rig.proxy.documentCount > 0; second++) {
      this.#parentDoes(how)
      this.rig.pass(1_000)
    }
    return this.rig.proxy.documentCount
  }

  #parentDoes(kind: string): void {
    const { rig } = this
    const last = rig.sent(this.#parent).findLast(frame => frame.kind === 'request-replay')
    if (last?.kind === 'request-replay') this.#replay = last.replay
    const replay = this.#replay
    const send = (...frames: LinkFrame[]): void => rig.frame(this.#parent, ...frames)
    switch (kind) {
      case 'serve':
        send(welcome('snapshot', this.#seq), ...snapshot(this.#seq))
        break
      case 'tail':
        send(welcome('tail', this.#seq))
        break
      case 'lower':
        send(welcome('snapshot', this.#seq, 16), ...snapshot(this.#seq))
        break
      case 'refuse':
        send(refused('FANFOLD_NO_DOCUMENT'))
        break
      case 'refuse-for-good':
        send(refused('FANFOLD_DELETED'))
        break
      case 'records':
        this.#seq = Math.min(this.#seq + 1, log.length)
        send(records(this.#seq, this.#seq))
        break
      case 'gap':
        this.#seq = Math.min(this.#seq + 2, log.length)
        send(records(this.#seq, this.#seq))
        break
      case 'replayed':
        send({ kind: 'replay', replay, ceiling: 239, records: log.slice(0, 3) })
        break
      case 'replay-ended':
        send({ kind: 'replay-ended', replay, code: undefined, message: '', retryAfterMs: 0 })
        break
      case 'replay-refused':
        send({
          kind: 'replay-ended',
          replay,
          code: 'FANFOLD_OVERLOADED',
          message: '',
          retryAfterMs: 5,
        })
        break
      case 'parent-bounce':
        rig.close(this.#parent)
        this.#parent = link(this.#parent + 1)
        rig.open(this.#parent)
    }
  }
}

t.test('a document that nobody wants is let go, whatever happened and happens', async t => {
  const how = fc.constantFrom('serve', 'refuse', 'records', 'parent-bounce')
  const steps = fc.array(step, { maxLength: 40, size: 'max' })
  const check = fc.property(steps, how, (steps, how) => {
    const world = new World()
    for (const step of steps) world.take(step)
    return world.end(how) === 0
  })
  t.doesNotThrow(() => fc.assert(check, { numRuns: 300 }))
})
