/**
 * The version of everything this package fixes: records, link frames, viewer frames.
 *
 * History: 1, the first. A change of any layout is a new number; docs/protocol.md says how nodes of
 * two versions talk to each other.
 */
export const protocolVersion = 1

/** Subprotocol of a viewer's and a writer's WebSocket. */
export const viewerSubprotocol = 'fanfold.v1'

/** Subprotocol of a link between two nodes. */
export const linkSubprotocol = 'fanfold.link.v1'
