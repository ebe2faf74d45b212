/*
 * What was added and is not answered. It goes out once: when the connection is lost nobody can tell what became of it,
 * and saying it again is for the application, which knows whether twice is worse than not at all.
 */
import type { ViewerFrame } from '@fanfold/protocol'
import type { AddOutcome, AnyAddCall } from './add-call.ts'
import { type Deferred, deferred } from './deferred.ts'
import { FanfoldError } from './fanfold-error.ts'
import { bytesOf, frameText } from './frame-text.ts'
import { observeFrameBytesMax, reducerNameBytesMax } from './wire-limits.ts'

/** Frames that say what became of what was added. */
export type AddAnswer = Extract<ViewerFrame, { type: 'counted' | 'unknown' | 'rejected' }>

/** What may wait for its answer, of one document. */
const waitingMax = 1_024

/** What was added to one document, over one line after the other. */
export class Additions {
  readonly #doc: string
  readonly #waiting = new Map<unknown, Deferred<AddOutcome>>()
  #lastId = 0

  constructor(doc: string) {
    this.#doc = doc
  }

  /** Sends what is added, over a line if there is one. */
  add(
    send: ((frame: object) => void) | undefined,
    [reducer, value, { stamp } = {}]: AnyAddCall,
  ): Promise<AddOutcome> {
    const added = deferred<AddOutcome>()
    // It may be left alone: what it rejects with is not news then.
    added.promise.catch(() => undefined)
    const id = ++this.#lastId
    const frame = { type: 'add', doc: this.#doc, reducer, value, id, stamp }
    const text = frameText(frame)
    this.#waiting.set(id, added)
    if (text instanceof FanfoldError) this.#reject(id, text.code)
    else if (send === undefined) this.#reject(id, 'FANFOLD_NOT_SENT')
    else if (this.#waiting.size > waitingMax) this.#reject(id, 'FANFOLD_TOO_MANY_IN_FLIGHT')
    // For such frames the server would close the connection.
    else if (!isStamp(stamp) || isLong(reducer, text)) this.#reject(id, 'FANFOLD_BAD_OPTION')
    else send(frame)
    return added.promise
  }

  /** Takes an answer. */
  receive(frame: AddAnswer): void {
    if (frame.type === 'rejected') this.#reject(frame.id, frame.code, frame.message)
    else this.#waiting.get(frame.id)?.resolve(frame.type)
    this.#waiting.delete(frame.id)
  }

  /** No answer comes any more to what was sent. */
  lose(): void {
    for (const { resolve } of this.#waiting.values()) resolve('unknown')
    this.#waiting.clear()
  }

  #reject(id: unknown, code: FanfoldError['code'], message = 'not sent'): void {
    this.#waiting.get(id)?.reject(new FanfoldError(code, message, { doc: this.#doc }))
    this.#waiting.delete(id)
  }
}

const isStamp = (stamp = 0): boolean => Number.isSafeInteger(stamp) && stamp >= 0

const isLong = (reducer: string, text: string): boolean =>
  bytesOf(text) > observeFrameBytesMax || reducer.length > reducerNameBytesMax
