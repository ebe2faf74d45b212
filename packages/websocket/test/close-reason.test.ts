import { errorCodes, isErrorCode } from '@fanfold/protocol'
import t from 'tap'
import { CloseCounts, closeNameOf, closeReasonFor, closeText } from '../src/close-reason.ts'

t.test('every error code closes with a code of the table that agrees on coming back', t => {
  for (const [code, meaning] of Object.entries(errorCodes)) {
    if (!isErrorCode(code)) continue
    const reason = closeReasonFor(code)
    t.ok(reason.code === 1012 || (reason.code >= 4000 && reason.code <= 4999), code)
    t.equal(reason.reconnect, meaning.retry, code)
  }
  t.end()
})

t.test('a text fits in a close frame and is cut between code points', t => {
  t.equal(closeText('short'), 'short')
  t.equal(closeText('a'.repeat(123)), 'a'.repeat(123))
  t.equal(closeText('a'.repeat(124)), 'a'.repeat(123))
  t.equal(closeText('é'.repeat(100)), 'é'.repeat(61))
  t.equal(closeText('😀'.repeat(100)), '😀'.repeat(30))
  t.end()
})

t.test('a close code has the name of its row, or lost', t => {
  t.equal(closeNameOf(4108), 'too-slow')
  t.equal(closeNameOf(1012), 'draining')
  t.equal(closeNameOf(1009), 'frame-too-large')
  t.equal(closeNameOf(1006), 'lost')
  t.end()
})

t.test('closes are counted by name', t => {
  const counts = new CloseCounts()
  for (const name of ['lost', 'silent', 'lost', '__proto__']) counts.add(name)
  t.equal(counts.snapshot()['lost'], 2)
  t.equal(counts.snapshot()['silent'], 1)
  t.end()
})
