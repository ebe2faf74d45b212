import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { KeptEpochs } from '../src/kept-epochs.ts'

const [first, second, third] = [
  parseDocumentKey('acme/match/a'),
  parseDocumentKey('acme/match/b'),
  parseDocumentKey('acme/match/c'),
] as const

t.test('an epoch is kept until it is taken', async t => {
  const epochs = new KeptEpochs(10)
  epochs.keep(first, 7)
  epochs.keep(second, 0)
  t.equal(epochs.take(first), 7)
  t.equal(epochs.take(first), 0)
  t.equal(epochs.take(second), 0)
})

t.test('beyond the bound the oldest is forgotten', async t => {
  const epochs = new KeptEpochs(2)
  for (const doc of [first, second, third]) epochs.keep(doc, 3)
  t.equal(epochs.take(first), 0)
  t.equal(epochs.take(second), 3)
  t.equal(epochs.take(third), 3)
})
