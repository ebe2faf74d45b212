/* Ways to hurt the files of a log that nobody writes. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { recordsIn } from '../logs/final-log.ts'

/** What can be behind the last record of a log without anything being lost. */
export const tails = {
  zeros: (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(4_096)]),
  noise: (bytes: Buffer): Buffer => {
    const noise = Buffer.from(bytes.subarray(0, 1_000)).map(byte => byte ^ 0xa5)
    return Buffer.concat([bytes, noise])
  },
  'half of a record': (bytes: Buffer): Buffer => Buffer.concat([bytes, bytes.subarray(-64)]),
  'the last record again': (bytes: Buffer, lastRecord: number): Buffer =>
    Buffer.concat([bytes, bytes.subarray(bytes.length - lastRecord)]),
} as const

/** The name of such a tail. */
export type Tail = keyof typeof tails

/** Puts a tail behind the last record of a segment. */
export function addTail(path: string, tail: Tail): void {
  const last = [...recordsIn(path)].at(-1)
  if (last === undefined) throw new Error(`${path} has no record`)
  const whole = readFileSync(path).subarray(0, last.end)
  writeFileSync(path, tails[tail](whole, last.end - last.start))
}

/** Ends a segment behind the record with a seq, as if it had never been longer. */
export function cutBehind(path: string, seq: number): void {
  let kept = 0
  for (const { record, end } of recordsIn(path)) if (record.seq <= seq) kept = end
  truncateSync(path, kept)
}

/** Turns one bit of a file, at a share of its length; returns what turns it back. */
export function flip(path: string, share: number): () => void {
  const turn = (): void => {
    const bytes = readFileSync(path)
    const at = Math.floor(bytes.length * share)
    bytes[at] = (bytes[at] ?? 0) ^ 0x10
    writeFileSync(path, bytes)
  }
  turn()
  return turn
}
