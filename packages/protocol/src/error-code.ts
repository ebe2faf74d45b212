import type { CloseName } from './close-code.ts'

/** What an error code tells its receiver. */
export type ErrorMeaning = {
  /** Whether the same request may succeed later without being changed. */
  readonly retry: boolean
  /** HTTP status where the error answers an HTTP request. */
  readonly status: number
  /** The close code's name, when the error ends the connection. */
  readonly close?: CloseName
  readonly meaning: string
}

/** Every error code that crosses a wire, in one table. Codes are stable; messages are for people. */
export const errorCodes = {
  FANFOLD_BAD_FRAME: {
    retry: false,
    status: 400,
    close: 'bad-frame',
    meaning: 'a frame that the protocol does not know, or with a field that is not what it must be',
  },
  FANFOLD_FRAME_TOO_LARGE: {
    retry: false,
    status: 413,
    close: 'bad-frame',
    meaning: 'a frame or body over its limit',
  },
  FANFOLD_TOO_MANY_FRAMES: {
    retry: true,
    status: 429,
    close: 'overloaded',
    meaning: 'more frames than the connection may send in a second',
  },
  FANFOLD_UNAUTHORIZED: {
    retry: false,
    status: 401,
    close: 'unauthorized',
    meaning: 'no token, or one that is not valid, not yet valid or no longer valid',
  },
  FANFOLD_FORBIDDEN: {
    retry: false,
    status: 403,
    meaning: 'the token does not allow this on this document',
  },
  FANFOLD_VERSION: {
    retry: false,
    status: 426,
    close: 'version',
    meaning: 'no common version of the protocol',
  },
  FANFOLD_NO_ROUTE: { retry: false, status: 404, meaning: 'nothing is served on this path' },
  FANFOLD_ORIGIN: {
    retry: false,
    status: 403,
    meaning: 'pages of this origin may not connect; the operator names those that may',
  },
  FANFOLD_BAD_KEY: {
    retry: false,
    status: 400,
    meaning: 'a document key that is not <tenant>/<type>/<id>',
  },
  FANFOLD_NO_DOCUMENT: { retry: false, status: 404, meaning: 'the document does not exist' },
  FANFOLD_DELETED: { retry: false, status: 410, meaning: 'the document was deleted' },
  FANFOLD_EXISTS: { retry: false, status: 409, meaning: 'the document exists already' },
  FANFOLD_NO_DEFINITION: {
    retry: false,
    status: 404,
    meaning: 'the authority has no definition for documents of this type',
  },
  FANFOLD_NO_MESSAGE: {
    retry: false,
    status: 404,
    meaning: 'the definition declares no message of this name',
  },
  FANFOLD_NO_REDUCER: {
    retry: false,
    status: 404,
    meaning:
      'the definition declares no reducer of this name, or one whose sums have another shape',
  },
  FANFOLD_NO_VIEW_STATE: {
    retry: false,
    status: 400,
    meaning: 'documents of this type take no view state',
  },
  FANFOLD_INVALID_VIEW_STATE: {
    retry: false,
    status: 422,
    meaning: "a view state that the definition's schema refuses, or that is over its limit",
  },
  FANFOLD_ABOVE_CEILING: {
    retry: false,
    status: 403,
    meaning: 'the viewer may see more than may enter this region; another region serves it',
  },
  FANFOLD_NO_VARIANT: {
    retry: true,
    status: 503,
    meaning: 'the edge variant of the definition cannot be had now; nothing is shown without it',
  },
  FANFOLD_RULE_FAILED: {
    retry: true,
    status: 503,
    meaning: 'a rule or the view of the definition failed; nothing is shown until it does not',
  },
  FANFOLD_LABEL_IN_ARRAY: {
    retry: false,
    status: 422,
    meaning: 'a label stands at an element of an array; labels stand at members of objects',
  },
  FANFOLD_NOT_OBSERVED: {
    retry: false,
    status: 409,
    meaning: 'the connection does not observe this document',
  },
  FANFOLD_INVALID_VALUE: {
    retry: false,
    status: 422,
    meaning: "a message value that the message's schema refuses",
  },
  FANFOLD_ASYNC_SCHEMA: {
    retry: false,
    status: 500,
    meaning: 'a message schema that answers with a promise; schemas must be synchronous',
  },
  FANFOLD_HANDLER_FAILED: {
    retry: false,
    status: 422,
    meaning: 'the handler threw; the document is unchanged',
  },
  FANFOLD_NOT_JSON: {
    retry: false,
    status: 422,
    meaning: 'a value that is not JSON would have become part of the document',
  },
  FANFOLD_FORBIDDEN_KEY: {
    retry: false,
    status: 422,
    meaning: 'a member named __proto__, constructor or prototype',
  },
  FANFOLD_TOO_DEEP: { retry: false, status: 422, meaning: 'nested deeper than documents may be' },
  FANFOLD_TOO_LARGE: {
    retry: false,
    status: 413,
    meaning: 'a value, a change or a document over its limit in bytes',
  },
  FANFOLD_BUSY: {
    retry: true,
    status: 503,
    meaning:
      'more waits than is taken now, or what is needed for it is not here yet; nothing was done',
  },
  FANFOLD_LOG_FULL: {
    retry: true,
    status: 503,
    meaning: 'the log has no room; nothing was done, and writing goes on when there is room again',
  },
  FANFOLD_LOG_DAMAGED: {
    retry: false,
    status: 503,
    meaning: 'a record of the log is damaged and good ones follow it; the document is not served',
  },
  FANFOLD_LOG_UNREADABLE: {
    retry: true,
    status: 503,
    meaning:
      'the disk did not let the log be read; nothing was done, and the next attempt may work',
  },
  FANFOLD_LOG_UNREACHABLE: {
    retry: true,
    status: 503,
    meaning: 'the machine that has the log does not answer; nothing was done',
  },
  FANFOLD_LOG_LOST: {
    retry: true,
    status: 503,
    meaning:
      'the log has lost records that were durable; nothing was done, and writing goes on from what it has',
  },
  FANFOLD_LOG_TRIMMED: {
    retry: false,
    status: 410,
    meaning: 'the log holds no records from so early on; a snapshot stands for them',
  },
  FANFOLD_FENCED: {
    retry: true,
    status: 503,
    meaning: 'another authority has claimed the document; nothing was done',
  },
  FANFOLD_QUARANTINED: {
    retry: false,
    status: 503,
    meaning: 'an assertion failed inside this document; it is not served until the node restarts',
  },
  FANFOLD_SET_ASIDE: {
    retry: true,
    status: 503,
    meaning: 'an assertion failed inside this document at this node; it begins anew after a while',
  },
  FANFOLD_MOVED: { retry: true, status: 307, meaning: 'the document is served elsewhere' },
  FANFOLD_NOT_AUTHORITY: {
    retry: false,
    status: 421,
    meaning: 'the node is no authority and takes no writes',
  },
  FANFOLD_DRAINING: {
    retry: true,
    status: 503,
    close: 'draining',
    meaning: 'the node is going away; come back, or go elsewhere',
  },
  FANFOLD_NO_PARENT: {
    retry: true,
    status: 503,
    meaning: 'the node has no parent to get the document from at the moment',
  },
  FANFOLD_OVERLOADED: {
    retry: true,
    status: 503,
    close: 'overloaded',
    meaning: 'a limit of the node is reached',
  },
  FANFOLD_QUOTA_EXCEEDED: {
    retry: true,
    status: 429,
    meaning:
      'the tenant has as many documents or viewers as its quota allows here; what it has goes on, and nothing was done',
  },
  FANFOLD_NO_TAIL: {
    retry: true,
    status: 503,
    meaning: 'the records after this position are not at hand, and a snapshot was not wanted',
  },
  FANFOLD_BAD_POSITION: {
    retry: false,
    status: 400,
    meaning: 'a position to resume from that no node has given out',
  },
  FANFOLD_BAD_TOKEN: {
    retry: false,
    status: 401,
    close: 'unauthorized',
    meaning: 'a link token or its proof that is not valid; the link is refused',
  },
  FANFOLD_NO_AUTHORITY: {
    retry: true,
    status: 503,
    meaning:
      'no authority that takes the tenant is alive; writes wait for one, viewers keep what they have',
  },
  FANFOLD_COORDINATOR_UNREACHABLE: {
    retry: true,
    status: 503,
    meaning:
      'the coordinator does not answer; nothing is placed or elected until it does, and streams go on',
  },
  FANFOLD_PLACED_NODE: {
    retry: false,
    status: 422,
    meaning:
      'the node that a tenant or a document is placed on cannot serve it: it is not alive, is draining, is no authority or does not take the tenant',
  },
  FANFOLD_PLACEMENT_CONFLICT: {
    retry: false,
    status: 409,
    meaning: 'the placement has another version than the one to be changed; read it again',
  },
  FANFOLD_PLACEMENTS_FULL: {
    retry: false,
    status: 507,
    meaning: 'as many tenants and documents are placed as may be',
  },
  FANFOLD_NODE_CLONED: {
    retry: false,
    status: 409,
    close: 'forbidden',
    meaning: 'another incarnation of the node is alive; each node needs a node id of its own',
  },
  FANFOLD_VIEW_DIFFERS: {
    retry: false,
    status: 409,
    close: 'view-differs',
    meaning: 'the two nodes are set differently where all must be alike; the message says where',
  },
  FANFOLD_INTERNAL: {
    retry: false,
    status: 500,
    meaning: 'a fault of the node, which its log has; what was asked for may or may not be done',
  },
} as const

/** A stable error code, as it crosses a wire. */
export type ErrorCode = keyof typeof errorCodes

/** What a code means; for codes of other versions a cautious answer. */
export const meaningOf = (code: ErrorCode): ErrorMeaning => errorCodes[code]

/** True for the codes of this version. */
export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(errorCodes, text)
