import { assert, type RandomBytes } from '@fanfold/kernel'
import type { Ledger } from '@fanfold/reduction'

/** Bytes that a session is drawn from: 53 bits of them, as many as a number holds exactly. */
const sessionBytes = 7
const topBits = 0x1f
/** Draws in a row, beyond which what is drawn is not random. */
const drawsMax = 16

/**
 * Numbers for so many sessions. They are drawn, so that only who is told can say something in the name of one:
 * of 100,000 that are open one is guessed in 9 × 10¹⁰ attempts, and an aggregate with a wrong one counts for nothing.
 */
export function newSessions(count: number, ledger: Ledger, randomBytes: RandomBytes): number[] {
  const sessions = new Set<number>()
  for (let draw = 0; sessions.size < count; draw++) {
    assert(draw < drawsMax, 'sessions are drawn at random')
    const bytes = randomBytes((count - sessions.size) * sessionBytes)
    for (let at = 0; at < bytes.length; at += sessionBytes) {
      const session = numberAt(bytes, at)
      if (session > 0 && !ledger.knows(session)) sessions.add(session)
    }
  }
  return [...sessions]
}

function numberAt(bytes: Uint8Array, start: number): number {
  let number = (bytes[start] ?? 0) & topBits
  for (const byte of bytes.subarray(start + 1, start + sessionBytes)) number = number * 256 + byte
  return number
}
