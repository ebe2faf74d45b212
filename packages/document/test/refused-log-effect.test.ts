import { parseDocumentKey, zeroPosition } from '@fanfold/protocol'
import t from 'tap'
import type { LogReadId, LogRefusal } from '../src/log-store.ts'
import { type AnsweredLogEffect, refusedLogEffect } from '../src/refused-log-effect.ts'
import type { Snapshot } from '../src/snapshot.ts'

const doc = parseDocumentKey('acme/match/final')

t.test('each effect that is answered has a refusal of its own', async t => {
  const refusal: { code: LogRefusal; message: string } = { code: 'FANFOLD_LOG_FULL', message: 'no' }
  const read = 7 as LogReadId
  const effects: readonly [AnsweredLogEffect, object][] = [
    [{ kind: 'log-open', doc }, { kind: 'log-open-refused' }],
    [
      { kind: 'log-append', doc, epoch: 1, after: zeroPosition, records: [] },
      { kind: 'log-append-refused' },
    ],
    [
      { kind: 'log-keep-snapshot', doc, snapshot: {} as Snapshot },
      { kind: 'log-snapshot-refused' },
    ],
    [
      { kind: 'log-read', doc, read, after: 0, bytesMax: 1 },
      { kind: 'log-read-refused', read },
    ],
  ]
  for (const [effect, answer] of effects) {
    t.same(refusedLogEffect(effect, refusal), { ...answer, doc, ...refusal })
  }
})
