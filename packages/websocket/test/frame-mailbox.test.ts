import t from 'tap'
import { FrameMailbox } from '../src/frame-mailbox.ts'

t.test('frames come out in order, whether they or the caller were first', async t => {
  const mailbox = new FrameMailbox()
  mailbox.put(Uint8Array.of(1))
  t.same(await mailbox.next(), Uint8Array.of(1))
  const next = mailbox.next()
  mailbox.put(Uint8Array.of(2))
  t.same(await next, Uint8Array.of(2))
  mailbox.put(Uint8Array.of(3))
  mailbox.put(Uint8Array.of(4))
  t.equal(mailbox.putCount, 4)
  t.same(mailbox.rest(), [Uint8Array.of(3), Uint8Array.of(4)])
  t.same(mailbox.rest(), [])
})

t.test('a failure rejects who waits and who comes later', async t => {
  const mailbox = new FrameMailbox()
  const next = mailbox.next()
  mailbox.fail(new Error('gone'))
  await t.rejects(next, /gone/)
  await t.rejects(mailbox.next(), /gone/)
})
