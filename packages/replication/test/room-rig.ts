/* A link on which there is room for so much at a time, and the documents that share it. */
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import { defaultTransferLimits } from '../src/transfer-allowance.ts'
import { link } from './build-stream.ts'
import { child, ServingNode } from './serving-node.ts'

export const key = (name: string): DocumentKey => parseDocumentKey(`acme/match/${name}`)
export const [a, b, c] = [key('a'), key('b'), key('c')]
export const second = link(2)
export const { bytesUnderWayMax } = defaultTransferLimits
/** A piece of 64 KiB with its head: what may go over the bound. */
export const frameMax = 65_600

/** A node with one child, and these documents, of so many bytes each. */
export function nodeWith(sizes: Readonly<Record<string, number>>): ServingNode {
  const node = new ServingNode()
  node.open()
  for (const [name, bytes] of Object.entries(sizes)) node.serve(key(name), bytes)
  return node
}

/** The same, and the child has joined them one after the other. */
export function joinedTo(sizes: Readonly<Record<string, number>>): ServingNode {
  const node = nodeWith(sizes)
  for (const name of Object.keys(sizes)) {
    node.join(key(name))
    node.settle()
  }
  return node
}

/** True when as much is on its way as may be. */
export const isFull = (node: ServingNode, id = child): boolean => {
  const bytes = node.bytesOnWay(id)
  return bytes >= bytesUnderWayMax && bytes < bytesUnderWayMax + frameMax
}
