import { unreachable } from '@fanfold/kernel'
import type { LogEffect, LogInput, LogRefusal } from './log-store.ts'

/** An effect of the log store port that is answered. */
export type AnsweredLogEffect = Exclude<LogEffect, { kind: 'log-close' | 'log-read-close' }>

/** The answer to an effect that is refused; nothing of it was done. */
export function refusedLogEffect(
  effect: AnsweredLogEffect,
  { code, message }: { readonly code: LogRefusal; readonly message: string },
): LogInput {
  const refusal = { doc: effect.doc, code, message } as const
  switch (effect.kind) {
    case 'log-open':
    case 'log-follow':
      return { kind: 'log-open-refused', ...refusal }
    case 'log-append':
      return { kind: 'log-append-refused', ...refusal }
    case 'log-keep-snapshot':
      return { kind: 'log-snapshot-refused', ...refusal }
    case 'log-read':
      return { kind: 'log-read-refused', read: effect.read, ...refusal }
    default:
      return unreachable(effect)
  }
}
