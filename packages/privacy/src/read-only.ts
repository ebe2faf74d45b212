/*
 * Values of a document as authors' code gets to see them: as they are, without a copy, and for reading
 * only. A stand-in for each object and array throws at every write, and at every look once the call
 * it was made for is over, so that nothing of the state can be kept, changed or passed on.
 */
import type { JsonObject, JsonValue } from '@fanfold/document'

/** For how long stand-ins may be looked at. */
export class Loan {
  #isOver = false

  /** From now on every look at what was lent throws. */
  end(): void {
    this.#isOver = true
  }

  /** Throws when it is over. */
  check(): void {
    if (this.#isOver) throw new TypeError('what a rule or a view was shown cannot be kept')
  }
}

/** Gives the stand-in for what is below a container: the value itself when it is a scalar. */
export type LendBelow = (value: JsonValue, name: string) => unknown

/** A stand-in for a value and all below it, whole. */
export function lend(value: JsonValue | undefined, loan: Loan): unknown {
  const lent = new Map<object, unknown>()
  const below: LendBelow = member => {
    if (typeof member !== 'object' || member === null) return member
    const known = lent.get(member)
    if (known !== undefined) return known
    const standIn = lendContainer(member, loan, below)
    lent.set(member, standIn)
    return standIn
  }
  return value === undefined ? undefined : below(value, '')
}

/** A stand-in for one container, what is below it given by `below`. */
export function lendContainer(
  container: JsonObject | JsonValue[],
  loan: Loan,
  below: LendBelow,
): object {
  const memberOf = (target: object, name: string | symbol): unknown =>
    typeof name === 'string' && Object.hasOwn(target, name)
      ? below(Reflect.get(target, name) as JsonValue, name)
      : Reflect.get(target, name)
  return new Proxy(container, {
    ...refusals,
    get(target, name) {
      loan.check()
      return memberOf(target, name)
    },
    has(target, name) {
      loan.check()
      return Reflect.has(target, name)
    },
    ownKeys(target) {
      loan.check()
      return Reflect.ownKeys(target)
    },
    getOwnPropertyDescriptor(target, name) {
      loan.check()
      const descriptor = Reflect.getOwnPropertyDescriptor(target, name)
      return descriptor && { ...descriptor, value: memberOf(target, name) }
    },
  })
}

function refuse(): never {
  throw new TypeError('what a rule or a view is shown cannot be changed')
}

/** The traps of everything that changes an object. */
export const refusals: ProxyHandler<object> = Object.freeze({
  set: refuse,
  defineProperty: refuse,
  deleteProperty: refuse,
  setPrototypeOf: refuse,
  preventExtensions: refuse,
})
