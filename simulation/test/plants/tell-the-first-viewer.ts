/* Planted in edges, for a test: a process says so when a viewer has come. */
import { Edge } from '@fanfold/edge'

const { receive } = Edge.prototype
let isTold = false
Edge.prototype.receive = function (input, now, effects) {
  if (input.kind === 'viewer-opened' && !isTold) {
    isTold = true
    process.stderr.write('a viewer has come\n')
  }
  receive.call(this, input, now, effects)
}
