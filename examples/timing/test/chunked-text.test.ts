import { Prng } from '@fanfold/kernel'
import t from 'tap'
import {
  type ChunkedText,
  chunkMax,
  emptyText,
  readText,
  sectionMax,
  splice,
} from '../chunked-text.ts'

const codePoints = (chunk: string): number => Array.from(chunk).length

/** What breaks the bounds of chunks and sections, or a length that is not true. */
const shapeProblems = ({ text, lengths }: ChunkedText): string[] => [
  ...(lengths.length === text.length ? [] : [`${lengths.length} lengths of ${text.length}`]),
  ...(lengths.filter(length => length === null).length <= 1 ? [] : ['two without a length']),
  ...text.flatMap((chunks, index) => {
    const counts = chunks.map(codePoints)
    const sum = counts.reduce((total, each) => total + each, 0)
    const length = lengths[index]
    return [
      ...(chunks.length > 0 && chunks.length <= sectionMax ? [] : [`${chunks.length} chunks`]),
      ...(counts.every(each => each > 0 && each <= chunkMax) ? [] : [`chunks of ${counts}`]),
      ...(length === null || length === sum ? [] : [`length ${length} for ${sum}`]),
    ]
  }),
]

t.test('a text is typed, changed and deleted', async t => {
  const text = emptyText()
  splice(text, { position: 0, deleteCount: 0, insert: 'hello world' })
  splice(text, { position: 5, deleteCount: 0, insert: ',' })
  splice(text, { position: 7, deleteCount: 5, insert: 'there' })
  t.equal(readText(text), 'hello, there')
  splice(text, { position: 0, deleteCount: 12, insert: '' })
  t.same(text, emptyText())
})

t.test('positions count code points', async t => {
  const text = emptyText()
  splice(text, { position: 0, deleteCount: 0, insert: '🏁a🏎b' })
  splice(text, { position: 2, deleteCount: 1, insert: '🚩' })
  splice(text, { position: 1, deleteCount: 0, insert: 'x' })
  t.equal(readText(text), '🏁xa🚩b')
})

t.test('what is inserted in place of several chunks comes where they were', async t => {
  const text = emptyText()
  const long = 'abcdefghij'.repeat(100)
  splice(text, { position: 0, deleteCount: 0, insert: long })
  splice(text, { position: 100, deleteCount: 700, insert: 'NEW' })
  t.equal(readText(text), `${long.slice(0, 100)}NEW${long.slice(800)}`)
})

t.test('an edit past the end is refused', async t => {
  const text = emptyText()
  t.throws(() => splice(text, { position: 1, deleteCount: 0, insert: 'x' }), {
    message: 'position 1 is past the end',
  })
  splice(text, { position: 0, deleteCount: 0, insert: 'abc' })
  t.throws(() => splice(text, { position: 4, deleteCount: 0, insert: 'x' }))
  t.throws(() => splice(text, { position: 2, deleteCount: 2, insert: '' }))
})

t.test('random edits agree with an array of code points', async t => {
  const alphabet = [...'abc é🏁', 'a long word of many letters. '.repeat(9)]
  for (const seed of ['1', '2', '3']) {
    const prng = new Prng(seed)
    const text = emptyText()
    const model: string[] = []
    for (let edit = 0; edit < 1_500; edit++) {
      const position = prng.below(model.length + 1)
      const mostDeleted = prng.chance(0.1) ? 300 : 2
      const deleteCount = Math.min(prng.below(mostDeleted), model.length - position)
      const insert = prng.chance(0.8) ? prng.pick(alphabet) : ''
      splice(text, { position, deleteCount, insert })
      model.splice(position, deleteCount, ...insert)
      if (edit % 100 === 0) t.same(shapeProblems(text), [], `seed ${seed}, edit ${edit}`)
    }
    t.equal(readText(text), model.join(''), `seed ${seed}`)
    t.same(shapeProblems(text), [], `seed ${seed}`)
  }
})

t.test('who types writes one short chunk for a key', async t => {
  const text = emptyText()
  splice(text, { position: 0, deleteCount: 0, insert: 'some words to begin with. '.repeat(500) })
  const written: number[] = []
  const press = (position: number, deleteCount: number, insert: string): void => {
    const before = structuredClone(text)
    splice(text, { position, deleteCount, insert })
    written.push(
      writtenBytes(before.text.flat(), text.text.flat()) +
        writtenBytes(before.lengths.map(String), text.lengths.map(String)),
    )
  }
  for (let key = 0; key < 2_000; key++) press(6_000 + key, 0, 'x')
  for (let key = 0; key < 500; key++) press(7_999 - key, 1, '')
  t.same(shapeProblems(text), [])
  const average = written.reduce((sum, bytes) => sum + bytes, 0) / written.length
  t.ok(average < 70, `${average} bytes for a key`)
})

/** About what the log holds for the step: a path for each item that came, changed or went. */
function writtenBytes(before: readonly string[], after: readonly string[]): number {
  const operationBytes = 52
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const written = after.slice(start, after.length - end)
  const operations = Math.max(written.length, before.length - start - end)
  return operations * operationBytes + written.join('').length
}

t.test('an edit that changes nothing writes nothing', async t => {
  const text = emptyText()
  splice(text, { position: 0, deleteCount: 0, insert: 'abc' })
  const before = structuredClone(text)
  splice(text, { position: 1, deleteCount: 0, insert: '' })
  splice(text, { position: 1, deleteCount: 1, insert: 'b' })
  t.same(text, before)
})
