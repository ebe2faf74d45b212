/* A fault planted in edges, for a test: the first viewer is never done with. */
import { Edge } from '@fanfold/edge'

const { receive } = Edge.prototype
Edge.prototype.receive = function (input, now, effects) {
  while (input.kind === 'viewer-opened') now satisfies number
  receive.call(this, input, now, effects)
}
