/* A fault planted in edges, for a test: the third frame of each for a cohort is not sent. */
import { Edge, type EdgeEffect } from '@fanfold/edge'

const { receive } = Edge.prototype
const sent = new WeakMap<Edge, number>()
Edge.prototype.receive = function (input, now, effects) {
  const made: EdgeEffect[] = []
  receive.call(this, input, now, made)
  for (const effect of made) {
    const count = (sent.get(this) ?? 0) + (effect.kind === 'cohort-send' ? 1 : 0)
    const isLost = effect.kind === 'cohort-send' && count === 3
    sent.set(this, count)
    if (!isLost) effects.push(effect)
  }
}
