/** Why a connection closes, and what the other side does then. */
export type CloseReason = {
  readonly code: number
  /** Whether a client may connect again by itself: 1012 and 4000–4499 yes, 4500–4999 no. */
  readonly reconnect: boolean
  readonly meaning: string
}

/** Close codes of viewers', writers' and nodes' WebSockets, in one table. */
export const closeCodes = {
  draining: { code: 1012, reconnect: true, meaning: 'the node is going away in good order' },
  moved: { code: 4100, reconnect: true, meaning: 'what was asked for is served elsewhere' },
  'too-slow': {
    code: 4108,
    reconnect: true,
    meaning: 'the reader made no progress for a long time',
  },
  overloaded: {
    code: 4129,
    reconnect: true,
    meaning: 'too many connections, frames or bytes; come back after the given time',
  },
  silent: { code: 4130, reconnect: true, meaning: 'nothing was heard from the peer for too long' },
  superseded: {
    code: 4131,
    reconnect: true,
    meaning: 'a newer connection of the same node took the place of this one',
  },
  'bad-frame': { code: 4500, reconnect: false, meaning: 'the peer broke the protocol' },
  unauthorized: {
    code: 4501,
    reconnect: false,
    meaning: 'no token, or one that is not valid or no longer valid',
  },
  forbidden: {
    code: 4503,
    reconnect: false,
    meaning: 'the token is valid and does not allow this',
  },
  version: { code: 4510, reconnect: false, meaning: 'no common version of the protocol' },
  'view-differs': {
    code: 4511,
    reconnect: false,
    meaning: 'the two nodes are set differently where all nodes of a fleet must be alike',
  },
} as const

/** The name of a row in the table. */
export type CloseName = keyof typeof closeCodes

/** Whether a client may connect again after a close with `code`; unknown codes of other makers: yes. */
export const mayReconnect = (code: number): boolean => code < 4500 || code > 4999

/** The row of a name. */
export const closeReasonOf = (name: CloseName): CloseReason => closeCodes[name]
