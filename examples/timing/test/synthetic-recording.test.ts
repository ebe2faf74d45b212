import type { JsonObject } from 'fanfold'
import t from 'tap'
import { mergeInto } from '../merge.ts'
import { recordingText, syntheticRecording } from '../synthetic-recording.ts'

const options = { seed: '1', lineCount: 5_000, carCount: 20 }

t.test('the same seed gives the same recording, another seed another', async t => {
  const text = [...recordingText(syntheticRecording(options))].join('')
  t.equal([...recordingText(syntheticRecording(options))].join(''), text)
  t.not([...recordingText(syntheticRecording({ ...options, seed: '2' }))].join(''), text)
})

t.test('lines are of the sizes of a real feed', async t => {
  const lines = [...syntheticRecording(options).lines()]
  const sizes = lines.map(line => JSON.stringify(line.delta).length).sort((a, b) => a - b)
  const median = sizes[sizes.length >> 1] ?? 0
  const p99 = sizes[Math.floor(sizes.length * 0.99)] ?? 0
  t.ok(median > 50 && median < 90, `median ${median} bytes`)
  t.ok(p99 > 450 && p99 < 1_000, `p99 ${p99} bytes`)
  t.ok((sizes.at(-1) ?? 0) > 4_000, `the longest ${sizes.at(-1)} bytes`)
  const rate = lines.length / ((lines.at(-1)?.ms ?? 0) / 1_000)
  t.ok(rate > 3 && rate < 7, `${rate} lines each second`)
})

t.test('every line merges, and every shape is there', async t => {
  const recording = syntheticRecording(options)
  const state: JsonObject = structuredClone(recording.state)
  let text = ''
  for (const { topic, delta } of recording.lines()) {
    mergeInto(state, { [topic]: delta })
    text += JSON.stringify(delta)
  }
  t.match(text, '"_deleted"')
  t.match(text, '"Flag":null')
  t.notMatch(JSON.stringify(state), '"_deleted"')
  const messages = (state['RaceControlMessages'] as { Messages: unknown[] }).Messages
  t.ok(messages.length > 5, `${messages.length} messages`)
})
