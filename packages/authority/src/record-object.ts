import type { JsonObject, JsonValue } from '@fanfold/document'
import { nodeKey, nodeOf, type Recording, RecordNode } from './record-node.ts'

/**
 * An object of the state while a handler runs: changes go through to it, and how each touched
 * member was is kept. Other members are not looked at, however many there are.
 *
 * Members are the object's own: `state.players['toString']` is a player or undefined.
 */
export class ObjectNode extends RecordNode implements ProxyHandler<JsonObject> {
  readonly target: JsonObject
  /** What the handler sees. */
  readonly draft: JsonObject
  /** Each touched member as it was, `undefined` for one that was not there. */
  #touched: Map<string, JsonValue | undefined> | undefined

  constructor(
    recording: Recording,
    parent: RecordNode | undefined,
    segment: string | number,
    target: JsonObject,
    isFresh: boolean,
  ) {
    super(recording, parent, segment, isFresh)
    this.target = target
    this.draft = new Proxy<JsonObject>(target, this)
  }

  /** Touched members as they were. */
  get touched(): ReadonlyMap<string, JsonValue | undefined> {
    return this.#touched ?? nothing
  }

  override before(): JsonObject {
    if (this.#touched === undefined) return this.target
    const before: JsonObject = {}
    for (const key of Object.keys(this.target)) {
      if (this.#touched.has(key)) continue
      const value = this.target[key]
      if (value !== undefined) before[key] = value
    }
    for (const [key, value] of this.#touched) if (value !== undefined) before[key] = value
    return before
  }

  override restore(): void {
    for (const [key, value] of this.touched) {
      if (value === undefined) delete this.target[key]
      else this.target[key] = value
    }
  }

  get(target: JsonObject, key: string | symbol): unknown {
    if (typeof key === 'symbol') return key === nodeKey ? this : undefined
    this.assertOpen()
    const value = target[key]
    if (value === undefined || typeof value === 'function' || key === '__proto__') return undefined
    return this.read(value, key)
  }

  has(target: JsonObject, key: string | symbol): boolean {
    this.assertOpen()
    return Object.hasOwn(target, key)
  }

  getOwnPropertyDescriptor(
    target: JsonObject,
    key: string | symbol,
  ): PropertyDescriptor | undefined {
    this.assertOpen()
    const value = typeof key === 'string' && Object.hasOwn(target, key) ? target[key] : undefined
    if (value === undefined) return undefined
    return {
      value: this.read(value, String(key)),
      writable: true,
      enumerable: true,
      configurable: true,
    }
  }

  set(target: JsonObject, key: string | symbol, value: unknown, receiver: unknown): boolean {
    this.assertOpen()
    if (typeof key === 'symbol') {
      return this.refuse('FANFOLD_NOT_JSON', key, 'a member is named by a text')
    }
    if (receiver !== this.draft) {
      return this.refuse('FANFOLD_NOT_JSON', key, 'the state is no prototype')
    }
    const before = Object.hasOwn(target, key) ? target[key] : undefined
    if (before === undefined) this.checkSegment(key)
    else if (before === value) return true
    else if (typeof value === 'object' && value !== null && nodeOf(value)?.target === before) {
      return true
    }
    const adopted = this.recording.adopt(value, this, key)
    this.#keep(key, before)
    target[key] = adopted
    return true
  }

  deleteProperty(target: JsonObject, key: string | symbol): boolean {
    this.assertOpen()
    if (typeof key === 'symbol' || !Object.hasOwn(target, key)) return true
    this.#keep(key, target[key])
    delete target[key]
    return true
  }

  #keep(key: string, before: JsonValue | undefined): void {
    if (this.isFresh) return
    if (this.#touched === undefined) {
      this.#touched = new Map()
      this.recording.changes(this)
    }
    if (!this.#touched.has(key)) this.#touched.set(key, before)
  }
}

const nothing: ReadonlyMap<string, JsonValue | undefined> = new Map()
