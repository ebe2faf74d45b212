/*
 * The state as a cohort sees it, for its `view`: looked up where the view looks, never copied. Of an
 * object only the members asked for are filtered; of an array with rules below it all elements are,
 * since which ones are seen decides on every index.
 */
import type { JsonObject, JsonValue } from '@fanfold/document'
import { type Loan, lend, lendContainer, refusals } from './read-only.ts'
import type { Sight, StateFilter } from './state-filter.ts'

/** What is visible of `state`; it can be looked at until the loan ends. */
export function visibleState(state: JsonObject, filter: StateFilter, loan: Loan): unknown {
  const sight = filter.seeRoot()
  if (sight === undefined) return lend({}, loan)
  return new VisibleState(filter, loan).standIn(state, sight, [])
}

class VisibleState {
  readonly #filter: StateFilter
  readonly #loan: Loan

  constructor(filter: StateFilter, loan: Loan) {
    this.#filter = filter
    this.#loan = loan
  }

  /** The stand-in for a value that is seen: itself when it is a scalar. */
  standIn(value: JsonValue, sight: Sight, path: readonly string[]): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (this.#filter.isWhole(sight)) return lend(value, this.#loan)
    return Array.isArray(value) ? this.#array(value, sight, path) : this.#object(value, sight, path)
  }

  #array(value: readonly JsonValue[], above: Sight, path: readonly string[]): object {
    const members = value
      .map((element, index) => this.#member(element, above, [...path, String(index)]))
      .filter(member => member !== undefined)
    const elements = members.map(member => member.value)
    return lendContainer(elements, this.#loan, (element, name) => {
      const member = members[Number(name)]
      return member === undefined ? element : member.standIn()
    })
  }

  #object(value: JsonObject, above: Sight, path: readonly string[]): object {
    const members = new Map<string, Member | undefined>()
    const memberOf = (name: string | symbol): Member | undefined => {
      this.#loan.check()
      if (typeof name === 'symbol' || !Object.hasOwn(value, name)) return undefined
      if (!members.has(name)) {
        members.set(name, this.#member(value[name] as JsonValue, above, [...path, name]))
      }
      return members.get(name)
    }
    // The target stays empty: no invariant of proxies can tell what is not seen.
    return new Proxy<JsonObject>(
      {},
      {
        ...refusals,
        get(target, name) {
          const member = memberOf(name)
          return member === undefined ? Reflect.get(target, name) : member.standIn()
        },
        has: (target, name) => memberOf(name) !== undefined || Reflect.has(target, name),
        ownKeys: () => Object.keys(value).filter(name => memberOf(name) !== undefined),
        getOwnPropertyDescriptor(_target, name) {
          const member = memberOf(name)
          if (member === undefined) return undefined
          const value = member.standIn()
          return { value, writable: false, enumerable: true, configurable: true }
        },
      },
    )
  }

  /** What is asked for below a container, if it is seen; its stand-in is made when it is looked at. */
  #member(value: JsonValue, above: Sight, path: readonly string[]): Member | undefined {
    const sight = this.#filter.see(value, above, path)
    if (sight === undefined) return undefined
    let made: { readonly standIn: unknown } | undefined
    const standIn = (): unknown => {
      made ??= { standIn: this.standIn(value, sight, path) }
      return made.standIn
    }
    return { value, standIn }
  }
}

/** Something below a container that is seen. */
type Member = {
  readonly value: JsonValue
  /** The same at each call. */
  standIn(): unknown
}
