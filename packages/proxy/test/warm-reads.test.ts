import type { WarmEffect } from '@fanfold/document'
import { instant } from '@fanfold/kernel'
import type { LinkId } from '@fanfold/protocol'
import {
  defaultTransferLimits,
  type JoinRequest,
  LinkAllowance,
  TurnAllowance,
} from '@fanfold/replication'
import t from 'tap'
import { WarmReads } from '../src/warm-reads.ts'
import { doc, link } from './build-proxy.ts'

const at = (ms: number) => instant(ms * 1_000)
const request = (id: LinkId, credit = 1): JoinRequest => ({
  link: id,
  ceiling: 239,
  have: undefined,
  credit,
  take: 'any',
  codecs: 0,
  isCongested: false,
  allowance: new LinkAllowance(new TurnAllowance(1), defaultTransferLimits),
})

t.test('a document is looked for once, and of a link only the last join waits', async t => {
  const reads = new WarmReads()
  const effects: WarmEffect[] = []
  reads.wait(doc, request(link(1)), at(0), effects)
  reads.wait(doc, request(link(2)), at(500), effects)
  reads.wait(doc, request(link(1), 7), at(600), effects)
  t.same(effects, [{ kind: 'warm-read', doc }])
  t.match(reads.take(doc), [
    { link: 1, credit: 7 },
    { link: 2, credit: 1 },
  ])
  t.same(reads.take(doc), [])
  t.equal(reads.wakeAt(), undefined)
})

t.test('it is looked for no longer than a second', async t => {
  const reads = new WarmReads()
  reads.wait(doc, request(link(1)), at(0), [])
  reads.wait(doc, request(link(2)), at(900), [])
  t.same([...reads.overdue(at(999))], [])
  t.same([...reads.overdue(at(1_000))], [doc])
  t.equal(reads.take(doc).length, 2)
})

t.test('when the last one leaves, nobody waits for it', async t => {
  const reads = new WarmReads()
  reads.wait(doc, request(link(1)), at(0), [])
  reads.leave(doc, link(2))
  t.equal(reads.count, 1)
  reads.leave(doc, link(1))
  t.equal(reads.count, 0)
  t.equal(reads.wakeAt(), undefined)
})
