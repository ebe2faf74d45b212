/*
 * Any error as one line: what, where, what to do, and its stable code. Stacks are for those who ask
 * for them with FANFOLD_DEBUG=1.
 */

import { BuildError } from '@fanfold/build/variants'
import { FanfoldError } from '@fanfold/client'
import {
  ConfigError,
  CoordinatorError,
  LinkIdentityError,
  LogStoreError,
  NodeRefusedError,
  TokenError,
} from '@fanfold/node'
import { CommandError } from './command-error.ts'
import { type ExitCode, exitCodes } from './exit-code.ts'

/** An error, as it is told. */
export type DescribedError = {
  readonly code: string
  readonly message: string
  readonly exitCode: ExitCode
}

/** What an error says, and how the process ends for it. */
export function describeError(error: unknown): DescribedError {
  if (error instanceof CommandError) {
    return { code: error.code, message: oneLine(error.message), exitCode: error.exitCode }
  }
  if (error instanceof FanfoldError) return describeClientError(error)
  if (error instanceof ConfigError) {
    // All problems at once, a line each: that is what the check is for.
    return { code: error.code, message: error.message, exitCode: exitCodes.usage }
  }
  if (error instanceof LogStoreError || error instanceof CoordinatorError) {
    const isAway = error.code.endsWith('_UNREACHABLE')
    const exitCode = isAway ? exitCodes.unreachable : exitCodes.failed
    return { code: error.code, message: oneLine(error.message), exitCode }
  }
  if (error instanceof BuildError) {
    return { code: error.code, message: error.message, exitCode: exitCodes.failed }
  }
  if (error instanceof NodeRefusedError) {
    return { code: error.code, message: oneLine(error.message), exitCode: exitCodes.failed }
  }
  if (error instanceof TokenError || error instanceof LinkIdentityError) {
    return { code: error.code, message: oneLine(error.message), exitCode: exitCodes.failed }
  }
  return describeSystemError(error)
}

const advice: Readonly<Record<string, string>> = {
  FANFOLD_UNAUTHORIZED:
    'give a token with --as or in FANFOLD_TOKEN; `fanfold token` and `fanfold dev` make them',
  FANFOLD_FORBIDDEN: 'use a token that allows this: `fanfold token check` shows what one allows',
  FANFOLD_NO_VIEW_STATE: 'leave --view-state away',
  FANFOLD_ABOVE_CEILING: 'give the --url of a node in another region',
  FANFOLD_NO_DOCUMENT:
    'create it with `fanfold create`, or send to it with a token that may create',
  FANFOLD_NOT_AUTHORITY: 'give the --url of an authority',
  FANFOLD_UNKNOWN_OUTCOME: 'send it again with the same --id: it commits once',
}

const usageCodes: ReadonlySet<string> = new Set(['FANFOLD_BAD_OPTION', 'FANFOLD_BAD_KEY'])
const unreachableCodes: ReadonlySet<string> = new Set([
  'FANFOLD_CONNECTION_FAILED',
  'FANFOLD_UNREACHABLE',
  'FANFOLD_NOT_SENT',
  'FANFOLD_COORDINATOR_UNREACHABLE',
])

function describeClientError({ code, message }: FanfoldError): DescribedError {
  const exitCode = usageCodes.has(code)
    ? exitCodes.usage
    : unreachableCodes.has(code)
      ? exitCodes.unreachable
      : exitCodes.failed
  const todo = advice[code]
  return { code, message: oneLine(todo === undefined ? message : `${message}: ${todo}`), exitCode }
}

function describeSystemError(error: unknown): DescribedError {
  const message = oneLine(error instanceof Error ? error.message : String(error))
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const failed = { exitCode: exitCodes.failed }
  switch (code) {
    case 'EADDRINUSE': {
      const todo = 'end what listens there, or give another --port and --admin-port'
      return { code: 'FANFOLD_ADDRESS_IN_USE', message: `${message}: ${todo}`, ...failed }
    }
    case 'ENOENT':
    case 'EACCES':
    case 'EISDIR':
      return { code: 'FANFOLD_NO_FILE', message, ...failed }
    default: {
      const isOurs = code.startsWith('FANFOLD_')
      return { code: isOurs ? code : 'FANFOLD_FAILED', message, ...failed }
    }
  }
}

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, ' ')
