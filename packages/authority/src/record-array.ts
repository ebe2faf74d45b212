import type { JsonValue } from '@fanfold/document'
import { frozenMethod, type Method } from './frozen-method.ts'
import { nodeKey, nodeOf, type Recording, RecordNode } from './record-node.ts'

/**
 * An array of the state while a handler runs. Setting elements and working at the end keeps only
 * what was there; whatever moves elements keeps a copy of the array as it was, once.
 *
 * The mutating methods work on the array itself, not through single reads and writes: an element
 * that moves stays the same container. An array has no holes: elements are appended or replaced.
 */
export class ArrayNode extends RecordNode implements ProxyHandler<JsonValue[]> {
  readonly target: JsonValue[]
  /** What the handler sees. */
  readonly draft: JsonValue[]
  /** -1 until the array changes. */
  #lengthBefore = -1
  /** Replaced and removed elements as they were, by their index, while no element has moved. */
  #touched: Map<number, JsonValue> | undefined
  /** The array as it was, once elements have moved. */
  #whole: JsonValue[] | undefined

  constructor(
    recording: Recording,
    parent: RecordNode | undefined,
    segment: string | number,
    target: JsonValue[],
    isFresh: boolean,
  ) {
    super(recording, parent, segment, isFresh)
    this.target = target
    this.draft = new Proxy<JsonValue[]>(target, this)
  }

  /** Elements before the recording. */
  get lengthBefore(): number {
    return this.#lengthBefore < 0 ? this.target.length : this.#lengthBefore
  }

  /** True when elements may stand elsewhere than they stood. */
  get hasMoved(): boolean {
    return this.#whole !== undefined
  }

  /** While no element has moved: the touched elements as they were. */
  get touched(): ReadonlyMap<number, JsonValue> {
    return this.#touched ?? nothing
  }

  override before(): JsonValue[] {
    if (this.#whole !== undefined) return this.#whole
    if (this.#lengthBefore < 0) return this.target
    const before = this.target.slice(0, this.#lengthBefore)
    before.length = this.#lengthBefore
    for (const [index, value] of this.touched) before[index] = value
    return before
  }

  override restore(): void {
    const before = this.before()
    const { target } = this
    target.length = before.length
    for (let index = 0; index < before.length; index++) target[index] = before[index] ?? null
  }

  get(target: JsonValue[], key: string | symbol): unknown {
    if (key === nodeKey) return this
    this.assertOpen()
    const value: unknown = Reflect.get(target, key)
    if (typeof key === 'symbol') return value
    if (typeof value === 'function') return methods.get(key)
    return typeof value === 'object' && value !== null ? this.#at(Number(key)) : value
  }

  getOwnPropertyDescriptor(
    target: JsonValue[],
    key: string | symbol,
  ): PropertyDescriptor | undefined {
    this.assertOpen()
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key)
    if (descriptor === undefined || key === 'length') return descriptor
    return { ...descriptor, value: this.#at(Number(key)) }
  }

  has(target: JsonValue[], key: string | symbol): boolean {
    this.assertOpen()
    return Reflect.has(target, key)
  }

  set(target: JsonValue[], key: string | symbol, value: unknown, receiver: unknown): boolean {
    this.assertOpen()
    if (receiver !== this.draft) {
      return this.refuse('FANFOLD_NOT_JSON', key, 'the state is no prototype')
    }
    if (key === 'length') this.#setLength(value)
    else if (typeof key === 'string' && isIndex(key)) {
      if (Number(key) > target.length) this.#refuseHole(key)
      this.#set(Number(key), value)
    } else this.refuse('FANFOLD_NOT_JSON', key, 'an array has nothing but elements')
    return true
  }

  deleteProperty(target: JsonValue[], key: string | symbol): boolean {
    this.assertOpen()
    if (!Object.hasOwn(target, key)) return true
    return this.refuse('FANFOLD_NOT_JSON', key, 'an array has no holes; splice removes an element')
  }

  push(items: readonly unknown[]): number {
    for (const item of items) this.#set(this.target.length, item)
    return this.target.length
  }

  pop(): unknown {
    const last = this.target.length - 1
    if (last < 0) return undefined
    const draft = this.#at(last)
    this.#keep(last)
    this.target.pop()
    return draft
  }

  splice(start: number, deleteCount: number, items: readonly unknown[]): unknown[] {
    const { target } = this
    const removed: unknown[] = []
    for (let index = start; index < start + deleteCount; index++) removed.push(this.#at(index))
    if (items.length === 0 && start + deleteCount === target.length) {
      this.#setLength(start)
      return removed
    }
    if (deleteCount === 0 && items.length === 0) return removed
    this.checkSegment(start)
    const adopted = items.map((item, offset) => this.recording.adopt(item, this, start + offset))
    this.#keepAll()
    target.splice(start, deleteCount, ...adopted)
    return removed
  }

  /** Puts the elements in another order, which `arrange` makes of a copy. */
  arrange(arrange: (elements: JsonValue[]) => void): void {
    const elements = this.target.slice()
    arrange(elements)
    this.#keepAll()
    for (const [index, element] of elements.entries()) this.target[index] = element
  }

  /** Sorts by what `compare` says of the elements as the handler sees them. */
  sort(compare: ((a: unknown, b: unknown) => number) | undefined): void {
    if (compare === undefined) {
      this.arrange(elements => elements.sort())
      return
    }
    const pairs = this.target.map((element, index) => ({ element, draft: this.#at(index) }))
    pairs.sort((a, b) => compare(a.draft, b.draft))
    this.arrange(elements => {
      for (const [index, { element }] of pairs.entries()) elements[index] = element
    })
  }

  fill(value: unknown, start: number, end: number): void {
    for (let index = start; index < end; index++) this.#set(index, value)
  }

  copyWithin(to: number, start: number, count: number): void {
    const copies = this.target.slice(start, start + count)
    for (const [offset, element] of copies.entries()) this.#set(to + offset, element)
  }

  #at(index: number): unknown {
    const value = this.target[index]
    return value === undefined ? undefined : this.read(value, index)
  }

  #set(index: number, value: unknown): void {
    const before = this.target[index]
    if (before === undefined) this.checkSegment(index)
    else if (before === value && typeof value !== 'object') return
    else if (typeof value === 'object' && value !== null && nodeOf(value)?.target === before) return
    const adopted = this.recording.adopt(value, this, index)
    this.#keep(index)
    this.target[index] = adopted
  }

  #setLength(value: unknown): void {
    const { length } = this.target
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > length) {
      this.#refuseHole('length')
    }
    if (value === length) return
    for (let index = length - 1; index >= value; index--) this.#keep(index)
    this.target.length = value
  }

  #refuseHole(segment: string): never {
    const { length } = this.target
    return this.refuse('FANFOLD_NOT_JSON', segment, `an array of ${length} elements has no holes`)
  }

  #keep(index: number): void {
    if (this.isFresh || this.#whole !== undefined) return
    if (this.#lengthBefore < 0) this.#begin()
    const value = this.target[index]
    if (index >= this.#lengthBefore || value === undefined) return
    if (this.#touched === undefined) this.#touched = new Map()
    if (!this.#touched.has(index)) this.#touched.set(index, value)
  }

  #keepAll(): void {
    if (this.isFresh || this.#whole !== undefined) return
    if (this.#lengthBefore < 0) this.#begin()
    this.#whole = this.before()
    this.#touched = undefined
  }

  #begin(): void {
    this.#lengthBefore = this.target.length
    this.recording.changes(this)
  }
}

const nothing: ReadonlyMap<number, JsonValue> = new Map()

const isIndex = (key: string): boolean => /^(0|[1-9][0-9]{0,9})$/.test(key)

function arrayNodeOf(draft: object): ArrayNode {
  const node = nodeOf(draft)
  if (!(node instanceof ArrayNode)) throw new TypeError('not an array of the state')
  node.assertOpen()
  return node
}

/** A position as the methods of arrays take it: from the end if negative, inside in any case. */
function position(value: unknown, length: number, missing: number): number {
  if (value === undefined) return missing
  const whole = Math.trunc(Number(value)) || 0
  return whole < 0 ? Math.max(0, length + whole) : Math.min(whole, length)
}

/** The methods that change an array, called on a stand-in. */
const mutators: ReadonlyMap<string, unknown> = new Map(
  Object.entries({
    push(this: object, ...items: unknown[]): number {
      return arrayNodeOf(this).push(items)
    },
    pop(this: object): unknown {
      return arrayNodeOf(this).pop()
    },
    shift(this: object): unknown {
      const node = arrayNodeOf(this)
      return node.splice(0, Math.min(1, node.target.length), [])[0]
    },
    unshift(this: object, ...items: unknown[]): number {
      const node = arrayNodeOf(this)
      node.splice(0, 0, items)
      return node.target.length
    },
    splice(this: object, ...args: unknown[]): unknown[] {
      const node = arrayNodeOf(this)
      const { length } = node.target
      const start = position(args[0], length, 0)
      const rest = length - start
      const asked = args.length < 2 ? rest : Math.trunc(Number(args[1])) || 0
      const deleteCount = args.length === 0 ? 0 : Math.min(Math.max(asked, 0), rest)
      return node.splice(start, deleteCount, args.slice(2))
    },
    reverse(this: object): object {
      arrayNodeOf(this).arrange(elements => elements.reverse())
      return this
    },
    sort(this: object, compare?: (a: unknown, b: unknown) => number): object {
      arrayNodeOf(this).sort(compare)
      return this
    },
    fill(this: object, value: unknown, start?: unknown, end?: unknown): object {
      const node = arrayNodeOf(this)
      const { length } = node.target
      node.fill(value, position(start, length, 0), position(end, length, length))
      return this
    },
    copyWithin(this: object, target: unknown, start: unknown, end?: unknown): object {
      const node = arrayNodeOf(this)
      const { length } = node.target
      const to = position(target, length, 0)
      const from = position(start, length, 0)
      const count = Math.min(position(end, length, length) - from, length - to)
      if (count > 0) node.copyWithin(to, from, count)
      return this
    },
  }),
)

/** What the names of methods give: of those that change nothing, the engine's own behind a stand-in. */
const methods: ReadonlyMap<string, Method> = new Map(
  [Object.prototype, Array.prototype].flatMap(prototype =>
    Object.getOwnPropertyNames(prototype)
      .filter(name => name !== 'constructor' && name !== '__proto__')
      .flatMap(name => {
        const method: unknown = mutators.get(name) ?? Reflect.get(prototype, name)
        return isMethod(method) ? [[name, frozenMethod(method)] as const] : []
      }),
  ),
)

function isMethod(value: unknown): value is Method {
  return typeof value === 'function'
}
