import { FanfoldError } from './fanfold-error.ts'

type Frame = { readonly type: string; readonly doc: string; readonly [member: string]: unknown }

/** The text of a frame, or why there is none: the value in it is no JSON. */
export function frameText(frame: Frame): string | FanfoldError {
  try {
    return JSON.stringify(frame)
  } catch (cause) {
    return new FanfoldError('FANFOLD_NOT_JSON', 'the value', { doc: frame.doc, cause })
  }
}

/** Bytes of a text in UTF-8. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length
