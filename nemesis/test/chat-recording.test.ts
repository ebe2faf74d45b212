import t from 'tap'
import {
  chatRecording,
  realChatFolder,
  realTotals,
  totalsOf,
} from '../src/clients/chat-recording.ts'

const untilMs = Number.MAX_SAFE_INTEGER
const folder = realChatFolder()

t.test('a chat that is drawn is the same each time, and of the form of a real one', async t => {
  const chat = chatRecording({ folder: undefined, untilMs })
  t.same(chat, chatRecording({ folder: undefined, untilMs }))
  t.equal(chat.messages.length, 3_000)
  t.ok(Object.keys(totalsOf(chat)).length > 30)
  let before = 0
  for (const { ms, viewer } of chat.messages) {
    t.ok(ms >= before && viewer < chat.viewers)
    before = ms
  }
  const half = chatRecording({ folder: undefined, untilMs: 30_000 })
  t.ok(half.messages.length > 1_000 && half.messages.length < 2_000)
})

t.test(
  'the real one has what its totals say',
  { skip: folder === undefined && 'there are no real recordings here' },
  async t => {
    const chat = chatRecording({ folder, untilMs })
    const { messages, totals } = realTotals(folder ?? '')
    t.equal(chat.viewers, 2_805)
    t.equal(chat.messages.length, messages)
    t.same(totalsOf(chat), totals)
  },
)
