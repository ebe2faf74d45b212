import { usageError } from './command-error.ts'
import { parseDuration } from './duration.ts'

/** The options of one call, decoded when they are asked for. Names are in camel case. */
export class Options {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  isSet(name: string): boolean {
    return this.#values[name] === true
  }

  /** True for a flag that `--no-…` has turned off. */
  isUnset(name: string): boolean {
    return this.#values[name] === false
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  /** @throws CommandError when it is not given */
  required(name: string): string {
    const value = this.text(name)
    if (value === undefined || value === '') throw usageError(`${flagOf(name)} is needed`)
    return value
  }

  list(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.map(String) : []
  }

  /** @throws CommandError when it is no whole number in the range */
  integer(name: string, range: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (number >= range.min && number <= range.max) return number
    const message = `${flagOf(name)} is a whole number from ${range.min} to ${range.max}`
    throw usageError(`${message}, got ${JSON.stringify(text)}`)
  }

  /** @throws CommandError when it is no decimal number over 0 up to `max` */
  number(name: string, { max }: { readonly max: number }): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN
    if (number > 0 && number <= max) return number
    const message = `${flagOf(name)} is a number over 0, at most ${max}`
    throw usageError(`${message}, got ${JSON.stringify(text)}`)
  }

  /** A duration with its unit, in ms. @throws CommandError when it is none in the range */
  duration(name: string, range: { readonly minMs: number; readonly maxMs: number }): number {
    const text = this.required(name)
    const ms = parseDuration(text)
    if (ms !== undefined && ms >= range.minMs && ms <= range.maxMs) return ms
    const message = `${flagOf(name)} is a duration such as 500ms, 30s, 1h or 90d`
    throw usageError(`${message}, from ${range.minMs} to ${range.maxMs} ms, got ${text}`)
  }

  /** JSON. @throws CommandError when it is none */
  json(name: string): unknown {
    const text = this.text(name)
    return text === undefined ? undefined : parseJson(text, flagOf(name))
  }
}

/** @throws CommandError when `text`, which `place` gave, is not JSON */
export function parseJson(text: string, place: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usageError(`${place} must be JSON: ${reason}`)
  }
}

const flagOf = (name: string): string =>
  `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
