/** How a node's room for documents is used, when a child asks for one more. */
export type DocumentRoom = {
  /** Documents that the node follows. */
  readonly count: number
  readonly countMax: number
  /** Children that are connected. */
  readonly children: number
  /** Documents that the child has asked for and was not refused for want of room, with this one. */
  readonly ofChild: number
}

/**
 * Whether the node follows one more document for a child. The last quarter of its room is for children
 * that have asked for no more than their part of all of it: none of several leaves nothing to the others,
 * and one alone may have everything.
 */
export function hasRoomFor({ count, countMax, children, ofChild }: DocumentRoom): boolean {
  if (count >= countMax) return false
  return count * 4 < countMax * 3 || ofChild * children <= countMax
}
