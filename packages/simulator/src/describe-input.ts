import type { DescribedInput } from './node-driver.ts'

/**
 * An input in words for the trace: its kind and whatever names or numbers it has; a frame's bytes
 * beside them.
 */
export function describeInput(input: { readonly kind: string }): DescribedInput {
  let what = input.kind
  let bytes: Uint8Array | undefined
  const fields: Readonly<Record<string, unknown>> = { ...input }
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'kind' || value === undefined) continue
    if (value instanceof Uint8Array) bytes = name === 'frame' ? value : bytes
    else if (typeof value !== 'object') what += ` ${name}=${value}`
  }
  return bytes === undefined ? { what } : { what, bytes }
}
