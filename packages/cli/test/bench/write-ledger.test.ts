import t from 'tap'
import { WriteLedger } from '../../src/bench/write-ledger.ts'

function build() {
  const latencies: number[] = []
  return { latencies, ledger: new WriteLedger(ms => latencies.push(ms)) }
}

await t.test('what a viewer sees is matched with when it was written', async t => {
  const { ledger, latencies } = build()
  ledger.commit({ seq: 4, startMs: 100 })
  ledger.commit({ seq: 6, startMs: 150 })
  ledger.see({ from: 3, seq: 6, atMs: 160 })
  t.same(latencies, [60, 10], 'both that the delta is of, and not what others wrote between')
})

await t.test('what is seen before its acknowledgement is known waits for it', async t => {
  const { ledger, latencies } = build()
  ledger.see({ from: 3, seq: 4, atMs: 107 })
  ledger.see({ from: 3, seq: 4, atMs: 109 })
  t.same(latencies, [])
  ledger.commit({ seq: 4, startMs: 100 })
  t.same(latencies, [7, 9])
})

await t.test('writes that were the last of a delta are counted, each once', async t => {
  const { ledger } = build()
  for (const seq of [1, 2, 3]) ledger.commit({ seq, startMs: 0 })
  ledger.see({ from: 0, seq: 2, atMs: 1 })
  ledger.see({ from: 0, seq: 2, atMs: 2 })
  t.equal(ledger.lastCount, 1, 'the first came with the second, for all who had it')
  ledger.see({ from: 2, seq: 5, atMs: 3 })
  ledger.see({ from: 2, seq: 4, atMs: 3 })
  for (const seq of [4, 5]) ledger.commit({ seq, startMs: 0 })
  t.equal(ledger.lastCount, 3)
})

await t.test('what others wrote is forgotten, and what is far behind as well', async t => {
  const { ledger, latencies } = build()
  for (let seq = 1; seq <= 300; seq++) ledger.see({ from: seq - 1, seq, atMs: seq })
  ledger.commit({ seq: 1, startMs: 0 })
  t.same(latencies, [], 'the 256 last are kept')
  ledger.commit({ seq: 300, startMs: 0 })
  t.same(latencies, [300])
  for (let seq = 301; seq <= 70_000; seq++) ledger.commit({ seq, startMs: 0 })
  ledger.see({ from: 300, seq: 301, atMs: 9 })
  t.equal(latencies.length, 1, 'the 65,536 last are kept')
  ledger.see({ from: 0, seq: 70_000, atMs: 9 })
  t.equal(latencies.length, 1 + 65_536)
})
