import type { LedgerEntry } from '@fanfold/reduction'
import t from 'tap'
import { SessionLog } from '../../src/crowd/session-log.ts'

const first = 71
const second = 3

const entry = (part: Partial<LedgerEntry>): LedgerEntry => ({
  opened: [],
  sealed: [],
  counted: [],
  ...part,
})

const range = (session: number, after: number, upTo: number) => ({ session, after, upTo })

t.test('windows count when they follow those that are counted', async t => {
  const log = new SessionLog()
  t.equal(log.enter(entry({ opened: [first, second] })), undefined)
  t.equal(log.enter(entry({ counted: [range(first, 0, 2)] })), undefined)
  t.equal(log.enter(entry({ counted: [range(first, 2, 3), range(second, 0, 1)] })), undefined)
  t.match(log.enter(entry({ counted: [range(first, 2, 4)] })), /counted up to 3/)
  t.match(log.enter(entry({ counted: [range(second, 2, 3)] })), /counted up to 1/)
})

t.test('windows of a session that nobody began, or that is sealed, do not count', async t => {
  const log = new SessionLog()
  t.match(log.enter(entry({ counted: [range(first, 0, 1)] })), /up to undefined/)
  const later = 9
  log.enter(entry({ opened: [later] }))
  t.equal(log.enter(entry({ sealed: [later] })), undefined)
  t.match(log.enter(entry({ counted: [range(later, 0, 1)] })), /sealed up to 0/)
  t.match(log.enter(entry({ sealed: [later] })), /is sealed, which is not open/)
  t.match(log.enter(entry({ sealed: [second] })), /is sealed, which is not open/)
})

t.test('what was counted stays counted, and no session is begun again', async t => {
  const log = new SessionLog()
  log.enter(entry({ opened: [first] }))
  log.enter(entry({ counted: [range(first, 0, 5)] }))
  t.match(log.enter(entry({ counted: [range(first, 0, 5)] })), /counted up to 5/)
  t.equal(log.enter(entry({ counted: [range(first, 5, 6)] })), undefined)
  t.match(log.enter(entry({ opened: [first] })), /begun again/)
})
