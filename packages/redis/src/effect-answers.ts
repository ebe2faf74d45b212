import type { AnsweredLogEffect, LogEffect } from '@fanfold/document'
import { assert } from '@fanfold/kernel'

/** Bytes that an effect brings. */
export function bytesOfEffect(effect: AnsweredLogEffect): number {
  switch (effect.kind) {
    case 'log-append':
      return sumOf(effect.records, record => record.bytes.length)
    case 'log-keep-snapshot':
      return sumOf(effect.snapshot.pieces, piece => piece.length)
    default:
      return 0
  }
}

/** Checks what the port says of a batch. */
export function requireBatch({
  doc,
  epoch,
  after,
  records,
}: Extract<LogEffect, { kind: 'log-append' }>): void {
  assert(records.length > 0, `a batch of ${doc} has at least one record`)
  let seq = after.seq
  for (const record of records) {
    seq++
    // The messages cost more than the checks, thousands of times a second.
    if (record.epoch === epoch && record.seq === seq) continue
    assert(false, `record ${epoch}:${seq} of ${doc}, got ${record.epoch}:${record.seq}`)
  }
}

function sumOf<Item>(items: readonly Item[], bytes: (item: Item) => number): number {
  let sum = 0
  for (const item of items) sum += bytes(item)
  return sum
}
