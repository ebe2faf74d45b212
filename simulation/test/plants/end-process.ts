/* A fault planted in edges, for a test: the process ends at the first viewer. */
import { Edge } from '@fanfold/edge'

const { receive } = Edge.prototype
Edge.prototype.receive = function (input, now, effects) {
  if (input.kind === 'viewer-opened') process.exit(3)
  receive.call(this, input, now, effects)
}
