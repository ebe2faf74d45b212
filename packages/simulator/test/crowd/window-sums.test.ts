import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { sumKey, WindowSums } from '../../src/crowd/window-sums.ts'
import { aggregateOf, range } from './said-sums.ts'

const doc = parseDocumentKey('acme/board/0')

t.test('what an edge has said of windows is what they hold', async t => {
  const windows = new WindowSums()
  t.equal(windows.take(doc, aggregateOf([range(7, 0, 1)], ['a', 'b']), true), undefined)
  t.equal(windows.take(doc, aggregateOf([range(7, 1, 2)], ['c'], ['boo']), true), undefined)
  t.equal(windows.take(doc, aggregateOf([range(7, 0, 1)], ['b', 'a']), true), undefined, 'again')
  const sum = windows.sumOf(doc, [range(7, 0, 1), range(7, 1, 2)])
  const keys = ['a', 'b', 'c'].map(name => sumKey('said', name))
  t.same(sum, new Map([...keys, sumKey('kinds', 'boo')].map(key => [key, 1])))
})

t.test('a window that holds something else the second time is told', async t => {
  const windows = new WindowSums()
  windows.take(doc, aggregateOf([range(7, 0, 1)], ['a']), true)
  t.match(
    windows.take(doc, aggregateOf([range(7, 0, 1)], ['b']), true),
    /1 to 1 of 7 is said to hold/,
  )
})

t.test('what is merged is the sum of its windows, neither more nor less', async t => {
  const windows = new WindowSums()
  windows.take(doc, aggregateOf([range(7, 0, 1)], ['a']), true)
  windows.take(doc, aggregateOf([range(8, 0, 2)], ['b']), true)
  const both = [range(7, 0, 1), range(8, 0, 2)]
  t.equal(windows.take(doc, aggregateOf(both, ['a', 'b']), false), undefined)
  t.match(windows.take(doc, aggregateOf(both, ['a']), false), /is said to hold/)
  t.match(windows.take(doc, aggregateOf(both, ['a', 'b', 'b']), false), /is said to hold/)
  const unsaid = [range(7, 1, 2)]
  t.match(windows.take(doc, aggregateOf(unsaid, ['c']), false), /no edge has said 2 to 2 of 7/)
})

t.test('one who asks for a session says nothing', async t => {
  t.equal(new WindowSums().take(doc, new Uint8Array(0), true), undefined)
})
