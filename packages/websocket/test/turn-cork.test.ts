import { Writable } from 'node:stream'
import t from 'tap'
import { TurnCork } from '../src/turn-cork.ts'

/** A stream that counts its writes. */
function counter(): { stream: Writable; writes: string[] } {
  const writes: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      writes.push(String(chunk))
      done()
    },
    writev: (chunks, done) => {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(''))
      done()
    },
  })
  return { stream, writes }
}

t.test('what is written in a turn leaves in one write when it ends', async t => {
  const cork = new TurnCork()
  const { stream, writes } = counter()
  for (const text of ['a', 'b', 'c']) {
    cork.cork(stream)
    stream.write(text)
  }
  await Promise.resolve()
  t.same(writes, [])
  await new Promise(resolve => setImmediate(resolve))
  t.same(writes, ['abc'])
})

t.test('one stream may be let go before the others', async t => {
  const cork = new TurnCork()
  const one = counter()
  const two = counter()
  for (const { stream } of [one, two]) {
    cork.cork(stream)
    stream.write('a')
    stream.write('b')
  }
  cork.uncork(one.stream)
  cork.uncork(one.stream)
  t.same(one.writes, ['ab'])
  t.same(two.writes, [])
  cork.flush()
  t.same(two.writes, ['ab'])
})
