import t from 'tap'
import { Delays } from '../src/delays.ts'

const phases = [
  { name: 'before', fromMs: 0, toMs: 1_000 },
  { name: 'during', fromMs: 1_000, toMs: 2_000 },
]

const written = (delays: Delays, seq: number, atMs: number): void => {
  delays.sent('d', `w-${seq}`, atMs)
  delays.acknowledged('d', `w-${seq}`, seq)
}

t.test('a delay counts in the phase in which its message was sent', async t => {
  const delays = new Delays(phases)
  written(delays, 1, 500)
  written(delays, 2, 999)
  written(delays, 3, 1_000)
  delays.shown('d', 1, 520)
  delays.shown('d', 2, 1_099)
  delays.shown('d', 3, 1_007)
  t.same(delays.percentiles(), { before: 100, during: 7 })
})

t.test('one of a hundred may take longer', async t => {
  const delays = new Delays(phases)
  for (let seq = 1; seq <= 200; seq++) {
    written(delays, seq, seq)
    delays.shown('d', seq, seq + (seq === 100 ? 900 : 10))
  }
  t.same(delays.percentiles(), { before: 10 })
})

t.test('what is sent again has been on its way since it was sent first', async t => {
  const delays = new Delays(phases)
  delays.sent('d', 'w-1', 100)
  written(delays, 1, 400)
  delays.shown('d', 1, 450)
  t.same(delays.percentiles(), { before: 350 })
})

t.test(
  'changes that nobody wrote, of other documents and outside of phases do not count',
  async t => {
    const delays = new Delays(phases)
    written(delays, 1, 500)
    written(delays, 2, 2_000)
    delays.shown('other', 1, 600)
    delays.shown('d', 2, 2_100)
    delays.shown('d', 9, 600)
    t.same(delays.percentiles(), {})
  },
)
