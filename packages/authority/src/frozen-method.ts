/*
 * Methods as a handler may see them. A handler that takes names from its writers, such as
 * `state.grid[row][column] = mark`, is a hole through which a writer reaches what the names mean in
 * JavaScript: `map` and `call`, `constructor` and `isArray`, and with them every document of the process.
 *
 * So a name never leads to a function that others use, nor from one to any object: what it leads to
 * is a frozen stand-in without a prototype, that can be called, with its own `call` and `apply`.
 */

/** Any function. */
export type Method = (this: unknown, ...args: unknown[]) => unknown

/** A stand-in for `method` on which nothing can be set and from which nothing else is reached. */
export function frozenMethod(method: Method): Method {
  const call: Method = sealed(function (this: unknown, self: unknown, ...args: unknown[]) {
    return Reflect.apply(method, self, args)
  })
  const apply: Method = sealed(function (this: unknown, self: unknown, args: unknown) {
    return Reflect.apply(method, self, Array.isArray(args) ? args : [])
  })
  return sealed(
    function (this: unknown, ...args: unknown[]) {
      return Reflect.apply(method, this, args)
    },
    { call, apply },
  )
}

/** The function alone: no prototype above it, none for what it would make, and nothing to be set. */
function sealed(made: Method, own: Readonly<Record<string, Method>> = {}): Method {
  Reflect.set(made, 'prototype', undefined)
  Object.assign(made, own)
  Object.setPrototypeOf(made, null)
  return Object.freeze(made)
}
