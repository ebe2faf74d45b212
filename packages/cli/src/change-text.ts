import type { Change } from '@fanfold/client'
import { describePointer, jsonBytes } from '@fanfold/document'
import { usageError } from './command-error.ts'

/** Characters of a value that a readable line shows. */
const valueCharactersMax = 100

/** A change as lines for a person: one for each operation. */
export function changeText({ kind, epoch, from, seq, patch, time }: Change): string {
  const at = `${epoch}:${seq}`
  const when = time === undefined ? '' : `  ${new Date(time).toISOString().slice(11, 23)}`
  if (kind === 'snapshot') {
    const bytes = patch.reduce((sum, one) => sum + ('value' in one ? jsonBytes(one.value) : 0), 0)
    return `${at}${when}  snapshot of ${bytes} bytes`
  }
  if (patch.length === 0 && from !== seq) return `${at}${when}  nothing visible changed`
  const lines = patch.map(operation => {
    const path = describePointer(operation.path)
    const what = 'value' in operation ? `  ${shorten(JSON.stringify(operation.value))}` : ''
    return `${at}${when}  ${operation.op} ${path}${what}`
  })
  // At the place where the view was: the viewer sees the document in another way.
  return [...(from === seq ? [`${at}${when}  another view`] : []), ...lines].join('\n')
}

/** A change as one line of JSON. */
export const changeJson = ({ kind, from, seq, epoch, numbering, time, patch }: Change): string =>
  JSON.stringify({ kind, from, seq, epoch, numbering, time, patch })

const shorten = (text: string): string =>
  text.length > valueCharactersMax ? `${text.slice(0, valueCharactersMax)}…` : text

/** A place in a document's log. */
export type LogPlace = { readonly epoch: number; readonly seq: number }

/** @throws CommandError when the text is not EPOCH:SEQ */
export function parsePlace(text: string): LogPlace {
  const match = /^(\d{1,10}):(\d{1,15})$/.exec(text)
  if (match === null) throw usageError(`--from is EPOCH:SEQ, as 3:120, got ${text}`)
  return { epoch: Number(match[1]), seq: Number(match[2]) }
}

/** Whether a change has something that comes after the place; a move to another view there does. */
export const isAfter = (
  { kind, epoch, from, seq }: Pick<Change, 'kind' | 'epoch' | 'from' | 'seq'>,
  place: LogPlace | undefined,
): boolean => {
  if (place === undefined || epoch > place.epoch) return true
  const isMove = kind === 'delta' && from === seq
  return epoch === place.epoch && (seq > place.seq || (isMove && seq === place.seq))
}
