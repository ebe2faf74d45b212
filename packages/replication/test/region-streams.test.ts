import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { regionStreamsExtra } from '../src/region-streams.ts'

const [one, two] = [parseDocumentKey('acme/match/one'), parseDocumentKey('acme/match/two')]

const child = (role: string, region: string, ...docs: readonly DocumentKey[]) => ({
  peer: { region, roles: [role] },
  docs: new Set(docs),
})

t.test('a region that has a document once has none too many', async t => {
  t.equal(regionStreamsExtra([]), 0)
  t.equal(regionStreamsExtra([child('proxy', 'eu', one, two), child('proxy', 'us', one)]), 0)
  t.equal(regionStreamsExtra([child('proxy', 'eu', one), child('proxy', 'eu', two)]), 0)
})

t.test('each further stream of a document to a region is one too many', async t => {
  const children = [
    child('proxy', 'eu', one, two),
    child('proxy', 'eu', one),
    child('edge', 'eu', one, two),
  ]
  t.equal(regionStreamsExtra(children), 3)
})

t.test('where there is no proxy edges have what they need from here', async t => {
  t.equal(regionStreamsExtra([child('edge', 'eu', one), child('edge', 'eu', one)]), 0)
  const elsewhere = child('proxy', 'us', one)
  t.equal(regionStreamsExtra([child('edge', 'eu', one), child('edge', 'eu', one), elsewhere]), 0)
})
