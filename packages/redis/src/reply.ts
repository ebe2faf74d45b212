/*
 * Replies of the server, decoded once: what it sends is whatever is in its keys.
 */

/** A server that gave something else than the key must hold, or a script must return. */
export class MistakenReply extends Error {
  override readonly name = 'MistakenReply'
}

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

function mistaken(what: string): never {
  throw new MistakenReply(`it gave something else than ${what}`)
}
