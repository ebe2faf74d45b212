/** Our own bug, found: the process (or the document, where one machine is quarantined) must not go on. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/**
 * Stops when something that must be true is not. Stays on in production.
 *
 * @param message says positively what must be true, with the numbers
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** The last arm of a `switch` over a union: compiles only while every kind is handled. */
export function unreachable(value: never): never {
  throw new AssertionError(`every kind is handled, got ${JSON.stringify(value)}`)
}
