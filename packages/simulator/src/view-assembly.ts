/*
 * A view that comes in pieces, put together by none of the code that takes it apart or that clients
 * have: each value is set where its pointer says, one after the other.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@fanfold/document'
import type { ViewerFrame } from '@fanfold/protocol'

type Begin = Extract<ViewerFrame, { type: 'snapshot-begin' }>
type Piece = Extract<ViewerFrame, { type: 'snapshot-piece' }>

/** The pieces of one view as they arrive. */
export class ViewAssembly {
  readonly begin: Begin
  #root: JsonValue | undefined
  #next = 0

  constructor(begin: Begin) {
    this.begin = begin
  }

  /** Takes the next piece; what is wrong with it, or undefined. */
  take({ index, pairs }: Piece): string | undefined {
    if (index !== this.#next) return `piece ${index} comes in place of ${this.#next}`
    this.#next++
    for (const [pointer, value] of pairs) {
      if (!this.#set(pointer, value as JsonValue)) return `nothing to set ${pointer} into`
    }
    return undefined
  }

  /** The view, if all of it has come. */
  end(): JsonObject | string {
    const { pieces } = this.begin
    if (this.#next !== pieces) return `${this.#next} of ${pieces} pieces have come`
    return isJsonObject(this.#root) ? this.#root : 'the pieces make no object'
  }

  #set(pointer: string, value: JsonValue): boolean {
    if (pointer === '') {
      this.#root = value
      return true
    }
    const segments = pointer
      .slice(1)
      .split('/')
      .map(segment => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = segments.pop() ?? ''
    let at: unknown = this.#root
    for (const segment of segments) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return false
      at = Reflect.get(at, segment)
    }
    if (typeof at !== 'object' || at === null) return false
    if (Array.isArray(at) && last === '-') at.push(value)
    else Object.assign(at, { [last]: value })
    return true
  }
}
