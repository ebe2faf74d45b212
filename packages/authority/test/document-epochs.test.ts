import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { DocumentEpochs } from '../src/document-epochs.ts'
import { LostEpochs } from '../src/lost-epochs.ts'
import { at } from './build-document.ts'

const doc = parseDocumentKey('acme/match/final')

t.test('the next epoch is above what the log says, until it is claimed', async t => {
  const epochs = new DocumentEpochs(doc, new LostEpochs(10))
  epochs.opened(4)
  t.match(epochs, { claimed: 0, highest: 4, isClaimDue: false })
  epochs.committed(5)
  t.match(epochs, { claimed: 5, highest: 5, isClaimDue: false })
})

t.test('an epoch that was heard of is passed over, and another is to be claimed', async t => {
  const epochs = new DocumentEpochs(doc, new LostEpochs(10))
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
    const epochs = new DocumentEpochs(doc, new LostEpochs(10))
    epochs.committed(5)
    t.ok(epochs.heard(5, 'lost', at(0)))
    t.match(epochs, { claimed: 0, highest: 5, isClaimDue: true })
  },
)

t.test('a leap is believed up to its bound, and a word once in a while', async t => {
  const epochs = new DocumentEpochs(doc, new LostEpochs(10))
  epochs.opened(4)
  t.notOk(epochs.heard(1_005, 'lost', at(0)))
  t.equal(epochs.highest, 4)
  t.ok(epochs.heard(1_004, 'lost', at(0)))
  t.notOk(epochs.heard(1_100, 'lost', at(9_999)))
  t.equal(epochs.highest, 1_004)
  t.ok(epochs.heard(1_100, 'lost', at(10_000)))
})

t.test('what the log does not know is kept while the document is not in memory', async t => {
  const kept = new LostEpochs(10)
  const first = new DocumentEpochs(doc, kept)
  first.committed(3)
  first.close()
  t.equal(kept.take(doc), 0, 'the log knows')
  const second = new DocumentEpochs(doc, kept)
  second.committed(3)
  second.lost()
  second.close()
  const third = new DocumentEpochs(doc, kept)
  t.equal(third.highest, 3)
  third.opened(1)
  third.close()
  const fourth = new DocumentEpochs(doc, kept)
  t.equal(fourth.highest, 3, 'and goes on being kept')
  fourth.committed(4)
  fourth.close()
  t.equal(kept.take(doc), 0)
})
