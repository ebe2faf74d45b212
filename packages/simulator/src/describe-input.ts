import type { DescribedInput } from './node-driver.ts'

/**
 * An input in words for the trace: its kind and whatever names or numbers it has; a frame's bytes
 * beside them.
 */
export function describeInput(input: { readonly kind: string }): DescribedInput {
  let what = input.kind
  let bytes: Uint8Array | undefined
  // An input is a literal: it has no members but its own.
  for (const name in input) {
    const value: unknown = Reflect.get(input, name)
    if (name === 'kind' || value === undefined) continue
    if (typeof value !== 'object') what += ` ${name}=${value}`
    else if (name === 'frame' && value instanceof Uint8Array) bytes = value
  }
  return bytes === undefined ? { what } : { what, bytes }
}
