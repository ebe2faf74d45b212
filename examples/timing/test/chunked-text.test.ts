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

/** What breaks the bounds of chunks and sections, or a length that is not true. */
const shapeProblems = (text: ChunkedText): string[] =>
  text.sections.flatMap(({ length, chunks }) => {
    const lengths = chunks.map(chunk => Array.from(chunk).length)
    const sum = lengths.reduce((total, each) => total + each, 0)
    return [
      ...(chunks.length > 0 && chunks.length <= sectionMax ? [] : [`${chunks.length} chunks`]),
      ...(lengths.every(each => each > 0 && each <= chunkMax)
        ? []
        : [`chunks of ${lengths.join()}`]),
      ...(length === sum ? [] : [`length ${length} for ${sum}`]),
    ]
  })

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

t.test('an edit writes little: a chunk, a length, seldom a section', async t => {
  const text = emptyText()
  let bytes = 0
  let inserted = 0
  const prng = new Prng('writes')
  for (let edit = 0; edit < 5_000; edit++) {
    const before = structuredClone(text.sections)
    splice(text, { position: prng.below(inserted + 1), deleteCount: 0, insert: 'x' })
    inserted += 1
    bytes += writtenBytes(before, text.sections)
  }
  t.ok(bytes / 5_000 < 210, `${bytes / 5_000} bytes for each edit`)
})

/** About what the log holds for the step: each new chunk and changed length, with a path. */
function writtenBytes(before: ChunkedText['sections'], after: ChunkedText['sections']): number {
  const pathBytes = 48
  const had = new Set(before.flatMap(section => section.chunks))
  const lengths = new Set(before.map(section => section.length))
  return after.reduce((sum, { length, chunks }) => {
    const fresh = chunks.filter(chunk => !had.has(chunk))
    const chunkBytes = fresh.reduce((total, chunk) => total + chunk.length + pathBytes, 0)
    return sum + chunkBytes + (lengths.has(length) ? 0 : pathBytes)
  }, 0)
}
