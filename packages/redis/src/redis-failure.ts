/*
 * What can go wrong with a command, sorted by what is known after it: that is all that whoever sent it
 * has to decide on.
 *
 * What the client library throws is never kept nor handed on: its errors carry the arguments of
 * commands, and among them passwords.
 */

/** What is known of a command that failed. */
export type RedisFailureKind =
  /** It never left: there was no connection. */
  | 'not-sent'
  /** It left, and the connection ended before an answer: it was done, or not, or will be yet. */
  | 'no-answer'
  /** The server does not take it now (it loads, fails over, moves slots): nothing was done. */
  | 'not-now'
  /** The server has no room for what it was to write, in memory or on its disk: nothing was done. */
  | 'no-room'
  /** A key holds something else than it must. */
  | 'wrong-type'
  /** The server refuses it: not allowed, not known, wrong arguments. Nothing was done. */
  | 'refused'

/** A command that failed. */
export class RedisFailure extends Error {
  override readonly name = 'RedisFailure'
  readonly kind: RedisFailureKind

  constructor(kind: RedisFailureKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** The first words of replies, and what they mean for the command. */
const kindsOfReplies: Readonly<Record<string, RedisFailureKind>> = {
  OOM: 'no-room',
  MISCONF: 'no-room',
  LOADING: 'not-now',
  READONLY: 'not-now',
  MASTERDOWN: 'not-now',
  NOREPLICAS: 'not-now',
  CLUSTERDOWN: 'not-now',
  TRYAGAIN: 'not-now',
  MOVED: 'not-now',
  ASK: 'not-now',
  BUSY: 'not-now',
  UNBLOCKED: 'not-now',
  NOTREADY: 'not-now',
  WRONGTYPE: 'wrong-type',
}

/** What the library says when a command could not leave. */
const notSentPhrases = [
  "Stream isn't writeable",
  "Cluster isn't ready",
  'Cluster is ended',
  'Failed to refresh slots cache',
]

/** Bytes of a message that are kept. */
const messageLengthMax = 300

/**
 * What an error of the library means.
 *
 * @throws the error itself where it is a mistake of ours
 */
export function failureOf(error: unknown): RedisFailure {
  if (error instanceof RedisFailure) return error
  if (error instanceof TypeError || error instanceof RangeError) throw error
  const whole = error instanceof Error ? error.message : String(error)
  const message = whole.slice(0, messageLengthMax)
  if (notSentPhrases.some(phrase => whole.includes(phrase))) {
    return new RedisFailure('not-sent', 'there is no connection')
  }
  if (whole.startsWith('Too many Cluster redirections')) return new RedisFailure('not-now', message)
  if (!(error instanceof Error && error.name === 'ReplyError')) {
    return new RedisFailure('no-answer', 'the connection ended before the answer')
  }
  const [word = ''] = whole.split(' ', 1)
  return new RedisFailure(kindsOfReplies[word] ?? kindInScript(whole), message)
}

/** Before version 7 the reply of a command in a script stands inside a sentence. */
function kindInScript(message: string): RedisFailureKind {
  if (/script was killed|Script killed/i.test(message)) return 'not-now'
  const inner = /(?:^|[-\s])(OOM|MISCONF|READONLY|NOREPLICAS|WRONGTYPE) /.exec(message)?.[1]
  return (inner === undefined ? undefined : kindsOfReplies[inner]) ?? 'refused'
}
