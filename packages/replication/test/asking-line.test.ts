import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { AskingLine, askingWindow } from '../src/asking-line.ts'
import { at } from './build-stream.ts'

const keys: readonly DocumentKey[] = Array.from({ length: 10_000 }, (_, index) =>
  parseDocumentKey(`acme/match/m${index}`),
)
const key = (index: number): DocumentKey => keys[index] as DocumentKey

/** A line with more documents than are asked for at first, asked at the first moment. */
function fullLine(count = keys.length): AskingLine {
  const line = new AskingLine(2_000)
  for (const doc of keys.slice(0, count)) line.ask(doc, at(0))
  return line
}

/** Asks for all that may be asked for; how many that are. */
function askAll(line: AskingLine, ms: number): number {
  let count = 0
  for (let doc = line.next; doc !== undefined; doc = line.next) {
    if (!line.ask(doc, at(ms))) throw new Error('the next one may go')
    count++
  }
  return count
}

t.test(
  'so many documents are asked for at first, the others wait in the order in which they came',
  async t => {
    const line = fullLine()
    t.equal(line.underWayCount, askingWindow.first)
    t.equal(line.waitingCount, keys.length - askingWindow.first)
    t.equal(line.next, undefined)
    line.answered(key(0), at(1))
    t.equal(line.next, key(askingWindow.first))
    t.notOk(line.ask(key(900), at(1)), 'who came later does not go first')
  },
)

t.test('who is asked for may be asked for again', async t => {
  const line = fullLine()
  t.ok(line.ask(key(3), at(5)))
  t.equal(line.underWayCount, askingWindow.first)
})

t.test('answers that come in time make room for more, up to a bound', async t => {
  const line = fullLine()
  let asked = keys.slice(0, askingWindow.first)
  for (let round = 1; round < 4; round++) {
    for (const doc of asked) line.answered(doc, at(round * 100))
    const from = keys.indexOf(line.next ?? key(0))
    const count = askAll(line, round * 100)
    t.equal(count, Math.min(askingWindow.first * 2 ** round, askingWindow.max))
    asked = keys.slice(from, from + count)
  }
  for (const doc of asked) line.answered(doc, at(400))
  t.ok(askAll(line, 400) <= askingWindow.max)
})

t.test('answers that are slow leave fewer, and those that do not come fewer still', async t => {
  const line = fullLine()
  line.answered(key(0), at(2_001))
  t.equal(line.next, undefined)
  for (let index = 1; index < 65; index++) line.answered(key(index), at(2_001))
  t.equal(line.next, undefined, 'many under way are too many now')
  for (let index = 65; index < askingWindow.first; index++) line.silent(key(index))
  t.equal(askAll(line, 3_000), askingWindow.min)
})

t.test('who is not wanted any more makes room, and does not wait', async t => {
  const line = fullLine(600)
  line.leave(key(520))
  line.leave(key(2))
  t.equal(line.next, key(512))
  t.ok(line.ask(key(512), at(1)))
  t.equal(line.underWayCount, askingWindow.first)
  t.equal(line.waitingCount, 86)
})

t.test('whatever is answered, everybody is asked for some time', async t => {
  const answer = fc.constantFrom('answered', 'slow', 'silent', 'leave')
  const check = fc.property(fc.array(answer, { minLength: 1, maxLength: 20 }), answers => {
    const line = fullLine(1_500)
    const under = new Set(keys.slice(0, askingWindow.first))
    const asked = new Set(under)
    for (let turn = 0; asked.size < 1_500; turn++) {
      const [doc] = under
      if (doc === undefined) return false
      under.delete(doc)
      switch (answers[turn % answers.length]) {
        case 'silent':
          line.silent(doc)
          break
        case 'leave':
          line.leave(doc)
          break
        case 'slow':
          line.answered(doc, at(10_000))
          break
        default:
          line.answered(doc, at(0))
      }
      for (let next = line.next; next !== undefined; next = line.next) {
        line.ask(next, at(0))
        under.add(next)
        asked.add(next)
      }
      if (line.underWayCount !== under.size || under.size > askingWindow.max) return false
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(check, { numRuns: 50 }))
})
