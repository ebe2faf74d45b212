import { validateMessage } from '@fanfold/definition'
import { isJsonObject } from '@fanfold/document'
import { encodeUtf8, Prng } from '@fanfold/kernel'
import t from 'tap'
import { boardDefinition } from '../src/board.ts'
import { drawLargeRow, drawMessage, drawSizedMessage } from '../src/drawn-message.ts'
import { plainMarkers } from '../src/marker.ts'

t.test('every message that is drawn is one of the definition', async t => {
  const prng = new Prng('messages')
  const names = new Set<string>()
  for (let index = 0; index < 2_000; index++) {
    const { message, value } = drawMessage(prng, 100)
    names.add(message)
    const valid = validateMessage(boardDefinition, message, value)
    t.ok(valid.ok || value === 'not an object', message)
  }
  t.same([...names].sort(), Object.keys(boardDefinition.messages).sort())
})

t.test('texts are about as long as asked for', async t => {
  const prng = new Prng('texts')
  for (let index = 0; index < 500; index++) {
    const { value } = drawMessage(prng, 50)
    const texts = isJsonObject(value) ? Object.values(value) : []
    for (const text of texts) if (typeof text === 'string') t.ok(text.length <= 50)
  }
})

t.test('a change of so many bytes is one of a text of about so many', async t => {
  const prng = new Prng('sizes')
  for (const bytes of [62, 100, 619, 8_887]) {
    for (let count = 0; count < 200; count++) {
      const { message, value } = drawSizedMessage(prng, bytes)
      t.ok(validateMessage(boardDefinition, message, value).ok, message)
      const text = JSON.stringify(value)
      const written = encodeUtf8(text).length
      t.ok(Math.abs(written - bytes) <= 48, `${bytes} are asked for, ${written} are written`)
      t.ok(plainMarkers(text).length >= 1, 'with a marker in it')
    }
  }
})

t.test('a change too small for a marker is of any kind, and small', async t => {
  const prng = new Prng('small')
  const names = new Set<string>()
  for (let count = 0; count < 2_000; count++) {
    const { message, value } = drawSizedMessage(prng, 1 + prng.below(61))
    names.add(message)
    t.ok(JSON.stringify(value).length <= 62, message)
  }
  t.same([...names].sort(), Object.keys(boardDefinition.messages).sort())
})

t.test('a row may be as large as a text may', async t => {
  const { message, value } = drawLargeRow(new Prng('row'), 48_000)
  t.ok(validateMessage(boardDefinition, message, value).ok)
  const bytes = encodeUtf8(JSON.stringify(value)).length
  t.ok(bytes > 47_900 && bytes <= 48_000, `${bytes}`)
})
