/*
 * Lines of JSON by pino. Each has an `event`, a stable dotted key to search and alert on; the message
 * is a constant phrase, and what varies is in fields. No document, write or viewer is ever logged.
 */
import { type DestinationStream, pino } from 'pino'
import type { Config } from './config.ts'

/** What a line says beside its message. */
export type LogFields = { readonly event: string; readonly [field: string]: unknown }

/** Where lines go: the object first, then a constant lower-case message. */
export interface Log {
  trace(fields: LogFields, message: string): void
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  fatal(fields: LogFields, message: string): void
  /** A log whose lines all have these fields too. */
  child(fields: Readonly<Record<string, unknown>>): Log
  /** True when lines of the level are written: ask before making a costly field. */
  isLevelEnabled(level: string): boolean
}

/** What every line of a node says, and where lines go. */
export type LogOptions = {
  readonly level: Config['logging']['level']
  readonly node: string
  readonly region: string
  /** Standard output, if nothing else is said. */
  readonly destination?: DestinationStream | undefined
}

/** Fields that hold what lets somebody in, at the top of a line or one level down. */
const secretFields = [
  'token',
  'authorization',
  'cookie',
  'secret',
  'privateKey',
  'tokenKey',
  'adminToken',
  'sec-websocket-protocol',
]

/** A token in the middle of a text, as an error's message may quote one. */
const tokenInText = /eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g

/** A log of a node. */
export function createLog(options: LogOptions): Log {
  const { level, node, region, destination } = options
  const paths = secretFields.flatMap(name => [
    `["${name}"]`,
    `*["${name}"]`,
    `*.headers["${name}"]`,
  ])
  const settings = {
    level,
    base: { node, region },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths, censor: '(redacted)' },
    serializers: { err: serializeError, error: serializeError },
  }
  return destination === undefined ? pino(settings) : pino(settings, destination)
}

const redacted = (text: string): string => text.replace(tokenInText, '(redacted)')

/** Name, code, message and stack; not the rest, which may hold what somebody sent. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? redacted(error) : error
  return {
    type: error.name,
    code: 'code' in error ? error.code : undefined,
    message: redacted(error.message),
    stack: redacted(error.stack ?? ''),
  }
}
