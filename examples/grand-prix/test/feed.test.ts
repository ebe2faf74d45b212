import t from 'tap'
import { raceEvents } from '../feed/race-events.ts'
import feed from '../feed.ts'

t.test('a feed sends the events of its seed in order, until it is aborted', async t => {
  const controller = new AbortController()
  const sent: unknown[] = []
  await feed({
    seed: '1',
    signal: controller.signal,
    send: async (message, value) => {
      sent.push({ message, value })
      if (sent.length === 1) controller.abort()
    },
  })
  const { value: first } = raceEvents('1').next()
  t.same(sent, [{ message: first.message, value: first.value }])
})

t.test('a feed that is refused says so', async t => {
  const send = async (): Promise<void> => {
    throw new Error('refused')
  }
  const { signal } = new AbortController()
  await t.rejects(feed({ seed: '1', signal, send }), { message: 'refused' })
})
