/* What authors' rules and views are handed: nothing of it is theirs to change, and not all is there. */

/** A value that its reader may not change, in any depth. */
export type DeepReadonly<Value> = Value extends (...parameters: never) => unknown
  ? Value
  : Value extends readonly (infer Element)[]
    ? number extends Value['length']
      ? // Named, not mapped: a mapped array of a type that holds itself, as JSON does, has no end.
        readonly DeepReadonly<Element>[]
      : { readonly [Member in keyof Value]: DeepReadonly<Value[Member]> }
    : Value extends object
      ? { readonly [Member in keyof Value]: DeepReadonly<Value[Member]> }
      : Value

/** A value of which any member, in any depth, may not be there. */
export type DeepPartial<Value> = Value extends readonly (infer Element)[]
  ? DeepPartial<Element>[]
  : Value extends object
    ? { [Member in keyof Value]?: DeepPartial<Value[Member]> }
    : Value
