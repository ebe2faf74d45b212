import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { DocumentEpochs } from '../src/document-epochs.ts'
import { KeptEpochs } from '../src/kept-epochs.ts'
import { at } from './build-document.ts'

const doc = parseDocumentKey('acme/match/final')

t.test('the next epoch is above what the log says, until it is claimed', async t => {
  const epochs = new DocumentEpochs(doc, { lost: new KeptEpochs(10) })
  epochs.opened(4)
  t.match(epochs, { claimed: 0, highest: 4, isClaimDue: false })
  epochs.committed(5)
  t.match(epochs, { claimed: 5, highest: 5, isClaimDue: false })
})

t.test('an epoch that was heard of is passed over, and another is to be claimed', async t => {
  const epochs = new DocumentEpochs(doc, { lost: new KeptEpochs(10) })
  epochs.opened(4)
  epochs.committed(5)
  t.ok(epochs.heard(7, 'lost', at(0)))
  t.match(epochs, { claimed: 0, highest: 7, isClaimDue: true })
  t.equal(epochs.committed(6), undefined, 'of a batch from before')
  t.match(epochs, { claimed: 0, isClaimDue: true })
  t.equal(epochs.committed(8), 'lost', 'now it is known for sure')
  t.match(epochs, { claimed: 8, highest: 8, isClaimDue: false })
  t.equal(epochs.committed(8), undefined)
})

t.test(
  'a child that is further on in the epoch of this node makes it claim another too',
  async t => {
    const epochs = new DocumentEpochs(doc, { lost: new KeptEpochs(10) })
    epochs.committed(5)
    t.ok(epochs.heard(5, 'lost', at(0)))
    t.match(epochs, { claimed: 0, highest: 5, isClaimDue: true })
  },
)

t.test('a leap is believed up to its bound, and a word once in a while', async t => {
  const epochs = new DocumentEpochs(doc, { lost: new KeptEpochs(10) })
  epochs.opened(4)
  t.notOk(epochs.heard(1_005, 'lost', at(0)))
  t.equal(epochs.highest, 4)
  t.ok(epochs.heard(1_004, 'lost', at(0)))
  t.notOk(epochs.heard(1_100, 'lost', at(9_999)))
  t.equal(epochs.highest, 1_004)
  t.ok(epochs.heard(1_100, 'lost', at(10_000)))
})

t.test('what the log does not know is kept while the document is not in memory', async t => {
  const kept = new KeptEpochs(10)
  const first = new DocumentEpochs(doc, { lost: kept })
  first.committed(3)
  first.close()
  t.equal(kept.take(doc), 0, 'the log knows')
  const second = new DocumentEpochs(doc, { lost: kept })
  second.committed(3)
  second.lost()
  second.close()
  const third = new DocumentEpochs(doc, { lost: kept })
  t.equal(third.highest, 3)
  third.opened(1)
  third.close()
  const fourth = new DocumentEpochs(doc, { lost: kept })
  t.equal(fourth.highest, 3, 'and goes on being kept')
  fourth.committed(4)
  fourth.close()
  t.equal(kept.take(doc), 0)
})

/** The epochs of a document at one of several authorities, whose log is under this one. */
function shared(epoch: number, own = new KeptEpochs(10)): DocumentEpochs {
  const epochs = new DocumentEpochs(doc, { lost: new KeptEpochs(10), own })
  epochs.opened(epoch)
  return epochs
}

t.test("an epoch of another's is followed by a claim as soon as somebody is served", async t => {
  const epochs = shared(4)
  t.equal(epochs.isClaimDue, false)
  epochs.served()
  t.match(epochs, { claimed: 0, highest: 4, isClaimDue: true })
  epochs.committed(5)
  epochs.served()
  t.equal(epochs.isClaimDue, false, 'it is its own now')
})

t.test('nothing is claimed of a log that is new, nor where nobody else writes it', async t => {
  const fresh = shared(0)
  fresh.served()
  t.equal(fresh.isClaimDue, false)
  const sole = new DocumentEpochs(doc, { lost: new KeptEpochs(10) })
  sole.opened(4)
  sole.served()
  t.equal(sole.isClaimDue, false)
})

t.test('an epoch of its own is its own while the document is not in memory', async t => {
  const own = new KeptEpochs(10)
  const first = shared(4, own)
  first.committed(5)
  first.close()
  const second = shared(5, own)
  second.served()
  t.equal(second.isClaimDue, false)
  second.close()
  const third = shared(5, own)
  third.served()
  t.equal(third.isClaimDue, false, 'also when nothing was written meanwhile')
  third.close()
  const fourth = shared(6, own)
  fourth.served()
  t.ok(fourth.isClaimDue, 'another has claimed the log since')
  fourth.close()
  t.equal(own.take(doc), 0)
})

t.test('an epoch of its own that the log has lost meanwhile is not given again', async t => {
  const own = new KeptEpochs(10)
  const lost = new KeptEpochs(10)
  const first = new DocumentEpochs(doc, { lost, own })
  first.committed(5)
  first.close()
  const second = new DocumentEpochs(doc, { lost, own })
  second.opened(4)
  t.equal(second.highest, 5)
  second.close()
  const third = new DocumentEpochs(doc, { lost, own })
  third.opened(4)
  t.equal(third.highest, 5, 'which is kept until another is claimed')
  third.committed(6)
  third.close()
  t.equal(lost.take(doc), 0)
})

t.test('a claim for which there is no room is made again after a while', async t => {
  const epochs = shared(4)
  epochs.claimRefused(at(0))
  t.equal(epochs.wakeAt, undefined, 'none was due')
  epochs.served()
  epochs.claimRefused(at(0))
  epochs.served()
  t.match(epochs, { isClaimDue: false, wakeAt: at(1_000) })
  epochs.tick(at(999))
  t.equal(epochs.isClaimDue, false)
  epochs.tick(at(1_000))
  t.match(epochs, { isClaimDue: true, wakeAt: undefined })
})
