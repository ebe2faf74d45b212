import type { LinkId } from '@fanfold/protocol'
import t from 'tap'
import { RepairLadder, type Trouble } from '../src/repair.ts'
import type { ResyncReason } from '../src/upstream-event.ts'
import { link } from './build-stream.ts'

const one = link(1)
const two = link(2)

const trouble = (reason: ResyncReason, at: LinkId, isAssembling = true): Trouble => ({
  reason,
  isAssembling,
  link: at,
})

t.test('a gap is asked for where it is', async t => {
  const ladder = new RepairLadder(3)
  t.equal(ladder.struck(trouble('gap', one), [one, two]), 'here')
  t.equal(ladder.struck(trouble('ceiling', one), [one, two]), 'here')
  t.notOk(ladder.wantsAnother)
})

t.test('a bad snapshot is fetched from another parent, after two parents the log is', async t => {
  for (const reason of ['piece', 'snapshot', 'silence'] as const) {
    const ladder = new RepairLadder(3)
    t.equal(ladder.struck(trouble(reason, one), [one, two]), 'elsewhere')
    t.equal(ladder.other([one, two], undefined), two)
    t.equal(ladder.struck(trouble(reason, two), [one, two]), 'replay')
    t.equal(ladder.struck(trouble('gap', two), [one, two]), 'replay', 'and stays so')
  }
})

t.test(
  'without another parent one is wanted, and the same one is asked, so many times',
  async t => {
    const ladder = new RepairLadder(3)
    t.equal(ladder.struck(trouble('piece', one), [one]), 'here')
    t.ok(ladder.wantsAnother)
    t.equal(ladder.struck(trouble('piece', one), [one]), 'here', 'at the limit')
    t.equal(ladder.struck(trouble('piece', one), [one]), 'replay')
  },
)

t.test(
  'a record that does not verify may be damaged on the way: the second time counts',
  async t => {
    for (const reason of ['hash', 'broken'] as const) {
      const ladder = new RepairLadder(3)
      t.equal(ladder.struck(trouble(reason, one, false), [one, two]), 'here')
      t.equal(ladder.struck(trouble(reason, one, false), [one, two]), 'elsewhere')
    }
  },
)

t.test(
  'a parent that does not answer is left for another one, and is tried again after it',
  async t => {
    const ladder = new RepairLadder(3)
    const silence = (at: LinkId): Trouble => trouble('silence', at, false)
    t.equal(ladder.struck(silence(one), [one]), 'here')
    t.ok(ladder.wantsAnother)
    t.equal(ladder.struck(silence(one), [one, two]), 'elsewhere')
    t.equal(ladder.struck(silence(two), [one, two]), 'here')
    t.equal(ladder.struck(silence(two), [one, two]), 'elsewhere')
  },
)
