import { sha256 } from '@fanfold/conformance'
import { instant } from '@fanfold/kernel'
import t from 'tap'
import { Trace } from '../src/trace.ts'

const traceOf = (events: readonly [number, string, string, Uint8Array?][]) => {
  const trace = new Trace(sha256)
  for (const [at, who, what, bytes] of events) trace.add(instant(at), who, what, bytes)
  return trace
}

const bytes = (value: number, length = 100_000) => new Uint8Array(length).fill(value)

t.test('equal events make equal hashes', async t => {
  const events: [number, string, string, Uint8Array?][] = [
    [1, 'a', 'frame', bytes(1)],
    [2, 'b', 'tick'],
  ]
  t.equal(traceOf(events).hash(), traceOf(events).hash())
  t.match(traceOf(events).hash(), /^[0-9a-f]{64}$/)
})

t.test('another time, node, kind, byte or order makes another hash', async t => {
  const hashes = [
    traceOf([
      [1, 'a', 'frame', bytes(1)],
      [2, 'b', 'tick'],
    ]),
    traceOf([
      [2, 'a', 'frame', bytes(1)],
      [2, 'b', 'tick'],
    ]),
    traceOf([
      [1, 'c', 'frame', bytes(1)],
      [2, 'b', 'tick'],
    ]),
    traceOf([
      [1, 'a', 'other', bytes(1)],
      [2, 'b', 'tick'],
    ]),
    traceOf([
      [1, 'a', 'frame', bytes(2)],
      [2, 'b', 'tick'],
    ]),
    traceOf([
      [1, 'a', 'frame', bytes(1, 99_999)],
      [2, 'b', 'tick'],
    ]),
    traceOf([
      [2, 'b', 'tick'],
      [1, 'a', 'frame', bytes(1)],
    ]),
    traceOf([[1, 'a', 'frame', bytes(1)]]),
  ].map(trace => trace.hash())
  t.equal(new Set(hashes).size, hashes.length)
})

t.test('a hash may be asked for on the way', async t => {
  const trace = traceOf([[1, 'a', 'tick']])
  t.equal(trace.hash(), trace.hash())
  trace.add(instant(2), 'b', 'tick')
  t.equal(
    trace.hash(),
    traceOf([
      [1, 'a', 'tick'],
      [2, 'b', 'tick'],
    ]).hash(),
  )
})

t.test('the last events are kept in words', async t => {
  const trace = new Trace(sha256)
  for (let at = 0; at < 1_000; at++) trace.add(instant(at), 'node', 'tick')
  t.equal(trace.recent().length, 200)
  t.equal(trace.recent().at(-1), '999 node: tick')
})
