import t from 'tap'
import { decodeLine } from '../../src/feed/recording-line.ts'

const decode = (text: string, valueField?: string) => decodeLine(Buffer.from(text), valueField)

await t.test('the value is all but seq and ms', async t => {
  t.same(decode('{"seq":1,"ms":20,"topic":"A","delta":{"x":[1]}}'), {
    kind: 'line',
    ms: 20,
    value: { topic: 'A', delta: { x: [1] } },
  })
  t.same(decode('{"topic":"A"}\r'), { kind: 'line', ms: undefined, value: { topic: 'A' } })
})

await t.test('the value is one member when it is named', async t => {
  t.same(decode('{"ms":0,"patches":[[0,0,"a"]]}', 'patches'), {
    kind: 'line',
    ms: 0,
    value: [[0, 0, 'a']],
  })
  t.same(decode('{"ms":0,"value":null}', 'value'), { kind: 'line', ms: 0, value: null })
  t.match(decode('{"ms":0}', 'toString'), { kind: 'malformed', reason: 'has no toString' })
})

await t.test('a line without anything on it is blank', async t => {
  t.same(decode(''), { kind: 'blank' })
  t.same(decode(' \r'), { kind: 'blank' })
})

await t.test('a malformed line says why', async t => {
  const wrong: [string | Uint8Array, string][] = [
    ['{"seq":1', 'is not JSON'],
    ['[1]', 'is not an object'],
    ['null', 'is not an object'],
    ['{"seq":1,"ms":2}', 'has nothing but seq and ms'],
    ['{"ms":"2","a":1}', 'has an ms that is no number from 0 on'],
    ['{"ms":-1,"a":1}', 'has an ms that is no number from 0 on'],
    ['{"a":{"b":[1e400]}}', 'holds a number that is too large'],
    [`{"a":${'9'.repeat(400)}}`, 'holds a number that is too large'],
    [Uint8Array.of(0x7b, 0xff, 0x7d), 'is not UTF-8'],
  ]
  for (const [text, reason] of wrong) {
    t.same(decodeLine(Buffer.from(text), undefined), { kind: 'malformed', reason })
  }
})

await t.test('a long number that a text or a small exponent holds is fine', async t => {
  t.match(decode(`{"a":"1e400 ${'9'.repeat(400)}","b":1e-400}`), { kind: 'line' })
})
