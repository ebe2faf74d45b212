/*
 * Replies of the server, decoded once: what it sends is whatever is in its keys.
 */
import { LogError } from './log-error.ts'

/** The items of an array. */
export function arrayOf(reply: unknown, what: string): readonly unknown[] {
  return Array.isArray(reply) ? reply : mistaken(what)
}

/** The bytes of a text; they are a view of what came in one piece from the server. */
export function bytesOf(reply: unknown, what: string): Buffer {
  return Buffer.isBuffer(reply) ? reply : mistaken(what)
}

/** The same where there may be none. */
export function optionalBytes(reply: unknown, what: string): Buffer | undefined {
  return reply === null || reply === undefined ? undefined : bytesOf(reply, what)
}

/** A whole number of 0 to 2^53 - 1, which scripts and hashes give as text. */
export function countOf(reply: unknown, what: string): number {
  const number =
    Buffer.isBuffer(reply) && reply.length > 0 ? Number(reply.toString('latin1')) : reply
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0
    ? number
    : mistaken(what)
}

/** Refuses a log whose keys do not hold what they must. */
export function damaged(what: string): never {
  throw new LogError(
    'FANFOLD_LOG_DAMAGED',
    `${what}; nothing was changed: restore the keys of the document from a backup`,
  )
}

function mistaken(what: string): never {
  return damaged(`the Redis of the log gave something else than ${what}`)
}
