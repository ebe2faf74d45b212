/*
 * One value of the configuration: from what a flag, the environment or a file gave, by its row's type.
 */
import { resolve } from 'node:path'
import { unreachable } from '@fanfold/kernel'
import { autoValue, type ConfigRow } from './config-table.ts'

/** A value as the rest of the process sees it: durations in ms, sizes in bytes, paths absolute. */
export type ConfigValue = string | number | boolean | readonly string[]

/** A value, or in words what is wrong with it. */
export type DecodedValue =
  | { readonly kind: 'value'; readonly value: ConfigValue }
  | { readonly kind: 'wrong'; readonly problem: string }

/** How the value of an integer is written that the machine decides. */
export const autoWord = 'auto'
const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const sizeUnits = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
} as const

const value = (decoded: ConfigValue): DecodedValue => ({ kind: 'value', value: decoded })
const wrong = (problem: string): DecodedValue => ({ kind: 'wrong', problem })

/** How a value is shown in a problem: short, and nothing of a secret. */
function shown(row: ConfigRow, raw: unknown): string {
  if (row.secret) return 'the value'
  const text = JSON.stringify(raw) ?? String(raw)
  return `got ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`
}

/**
 * The value of an option.
 *
 * @param raw a text from a flag or the environment, or any JSON value from a file
 * @param base the directory that a relative path starts from
 */
export function decodeValue(row: ConfigRow, raw: unknown, base: string): DecodedValue {
  if (raw === undefined || raw === null) return wrong('has no value')
  switch (row.type) {
    case 'list':
      return decodeList(row, raw, base)
    case 'text':
    case 'url':
    case 'path':
    case 'enum':
      return decodeText(row, row.type, raw, base)
    case 'integer':
      return row.auto && raw === autoWord ? value(autoValue) : decodeNumber(row, raw, undefined)
    case 'port':
      return decodeNumber({ min: 0, max: 65_535, ...row }, raw, undefined)
    case 'duration':
      return decodeNumber(row, raw, durationUnits)
    case 'size':
      return decodeNumber(row, raw, sizeUnits)
    case 'switch':
      return decodeSwitch(row, raw)
    default:
      return unreachable(row.type)
  }
}

/** A flag without a value switches on. */
function decodeSwitch(row: ConfigRow, raw: unknown): DecodedValue {
  const text = String(raw).trim().toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(text)) return value(true)
  if (['false', '0', 'no', 'off'].includes(text)) return value(false)
  return wrong(`must be true or false, ${shown(row, raw)}`)
}

function decodeNumber(
  row: ConfigRow,
  raw: unknown,
  units: Readonly<Record<string, number>> | undefined,
): DecodedValue {
  const text = typeof raw === 'number' || typeof raw === 'string' ? String(raw).trim() : ''
  const match = /^(\d[\d_]*(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text)
  const [, digits = '', unit = ''] = match ?? []
  const factor = unit === '' ? 1 : units?.[unit]
  const number = Number(digits.replaceAll('_', '')) * (factor ?? 1)
  if (match === null || factor === undefined || !Number.isSafeInteger(number)) {
    const example = units === durationUnits ? '250ms or 10s' : '64KiB or 4MiB'
    const whole = row.auto ? `${autoWord}, or a whole number` : 'a whole number'
    const expected = units === undefined ? whole : `a number with its unit, as ${example}`
    return wrong(`must be ${expected}, ${shown(row, raw)}`)
  }
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = row
  if (number < min || number > max)
    return wrong(`must be ${describeRange(row)}, ${shown(row, raw)}`)
  return value(number)
}

function decodeText(
  row: ConfigRow,
  type: 'text' | 'url' | 'path' | 'enum',
  raw: unknown,
  base: string,
): DecodedValue {
  if (typeof raw !== 'string') return wrong(`must be a text, ${shown(row, raw)}`)
  const text = raw.trim()
  if (text === '') return wrong('is empty')
  switch (type) {
    case 'enum':
      return row.values?.includes(text)
        ? value(text)
        : wrong(`must be one of ${row.values?.join(', ')}, ${shown(row, raw)}`)
    case 'path':
      return value(resolve(base, text))
    case 'url':
      return decodeUrl(row, text)
    case 'text': {
      if (row.pattern !== undefined && !new RegExp(`^(?:${row.pattern})$`).test(text)) {
        return wrong(`must be ${row.shape}, ${shown(row, raw)}`)
      }
      // Of a list, `min` and `max` bound its items.
      if (row.type === 'list') return value(text)
      const { min = 0, max = Number.POSITIVE_INFINITY } = row
      if (text.length >= min && text.length <= max) return value(text)
      return wrong(`must have ${min} to ${max} characters, has ${text.length}`)
    }
    default:
      return unreachable(type)
  }
}

function decodeUrl(row: ConfigRow, text: string): DecodedValue {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !row.schemes?.includes(url.protocol.slice(0, -1))) {
    return wrong(`must be a URL with ${row.schemes?.join(': or ')}:, ${shown(row, text)}`)
  }
  // A URL is shown and logged as it is.
  if (url.username !== '' || url.password !== '') return wrong('must not hold a user or a password')
  // A link adds its own path, and what a node announces of itself has neither.
  const isOfNode = url.protocol === 'ws:' || url.protocol === 'wss:'
  if (isOfNode && (url.search !== '' || url.hash !== '')) {
    return wrong(`must not hold a query or a fragment, ${shown(row, text)}`)
  }
  return value(text)
}

/** The same for all ways to write one URL: letters of either case, a port that goes without saying, a last slash. */
function sameUrl(text: string): string {
  return URL.canParse(text) ? new URL(text).href.replace(/\/+$/, '') : text
}

function decodeList(row: ConfigRow, raw: unknown, base: string): DecodedValue {
  const items: readonly unknown[] = Array.isArray(raw)
    ? raw
    : typeof raw === 'string'
      ? raw.split(',').filter(item => item.trim() !== '')
      : [raw]
  const { min = 0, max = Number.POSITIVE_INFINITY } = row
  if (items.length < min || items.length > max) {
    return wrong(`must have ${min} to ${max} items, has ${items.length}`)
  }
  const decoded: string[] = []
  const same = row.items === 'url' ? sameUrl : (text: string) => text
  const known = new Set<string>()
  for (const item of items) {
    const result = decodeText(row, row.items ?? 'text', item, base)
    if (result.kind === 'wrong') return wrong(`each item ${result.problem}`)
    const text = String(result.value)
    if (known.has(same(text))) return wrong(`must not name the same twice, ${shown(row, item)}`)
    known.add(same(text))
    decoded.push(text)
  }
  return value(decoded)
}

/** Bytes of a size with its unit, as `64KiB`; without one, that many. Of a text that was checked. */
export function bytesIn(text: string): number {
  const [, digits = '', unit = 'B'] = /^(\d+)([A-Za-z]+)?$/.exec(text) ?? []
  return Number(digits) * (Object.entries(sizeUnits).find(([name]) => name === unit)?.[1] ?? 1)
}

/** A value as a person would write it: `10s`, `64KiB`, `a, b`. */
export function formatValue(row: ConfigRow, shownValue: ConfigValue): string {
  if (typeof shownValue === 'object') return shownValue.join(', ')
  if (typeof shownValue !== 'number') return String(shownValue)
  if (row.auto && shownValue === autoValue) return autoWord
  if (row.type === 'duration') return inUnit(shownValue, ['d', 'h', 'm', 's', 'ms'], durationUnits)
  if (row.type === 'size') return inUnit(shownValue, ['GiB', 'MiB', 'KiB', 'B'], sizeUnits)
  return String(shownValue)
}

function inUnit(
  number: number,
  largestFirst: readonly string[],
  units: Readonly<Record<string, number>>,
): string {
  const smallest = largestFirst.at(-1) ?? ''
  const fits = (unit: string): boolean => number % (units[unit] ?? 1) === 0
  const unit = number === 0 ? smallest : (largestFirst.find(fits) ?? smallest)
  return `${number / (units[unit] ?? 1)}${unit}`
}

/** What an option may be, in words: `1 to 100 viewers`, `one of a, b`. */
export function describeRange(row: ConfigRow): string {
  switch (row.type) {
    case 'integer':
    case 'duration':
    case 'size': {
      const of = (bound: number | undefined): string =>
        bound === undefined ? '' : formatValue(row, bound)
      const range = `${of(row.min)} to ${of(row.max)}${row.unit === undefined ? '' : ` ${row.unit}`}`
      return row.auto ? `${autoWord}, or ${range}` : range
    }
    case 'port':
      return '0 to 65535'
    case 'enum':
      return `one of ${row.values?.join(', ')}`
    case 'url':
      return `${row.schemes?.join(' or ')} URL`
    case 'path':
      return 'path'
    case 'switch':
      return 'true or false'
    case 'text':
      return row.shape ?? `text of ${row.min} to ${row.max} characters`
    case 'list': {
      const { default: _, min: __, ...item } = row
      const each =
        row.items === 'text' ? row.shape : describeRange({ ...item, type: row.items ?? 'text' })
      return `list of up to ${row.max}: ${each}`
    }
    default:
      return unreachable(row.type)
  }
}
