import { usageError } from '../command-error.ts'
import { parseJson } from '../options.ts'

/** What stands for the write's number and for its time, ms since 1970. */
const numberMark = '{{n}}'
const nowMark = '{{now}}'

/** The value of each write: JSON in which the write's number and time may stand. */
export class ValueTemplate {
  readonly #text: string | undefined

  /**
   * @param text undefined for messages without a value
   * @throws CommandError when it makes no JSON
   */
  constructor(text: string | undefined) {
    this.#text = text
    const leftOver = /\{\{\w*\}\}/.exec(this.#filled({ number: 0, nowMs: 0 }) ?? '')?.[0]
    if (leftOver !== undefined) {
      throw usageError(`--value has ${numberMark} and ${nowMark}, got ${leftOver}`)
    }
    this.valueOf({ number: 0, nowMs: 0 })
  }

  valueOf(write: { readonly number: number; readonly nowMs: number }): unknown {
    const text = this.#filled(write)
    return text === undefined ? undefined : parseJson(text, '--value')
  }

  #filled({ number, nowMs }: { readonly number: number; readonly nowMs: number }) {
    return this.#text?.replaceAll(numberMark, String(number)).replaceAll(nowMark, String(nowMs))
  }
}
