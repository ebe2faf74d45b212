import type { LedgerEntry } from '@fanfold/reduction'
import t from 'tap'
import { SessionLog } from '../../src/crowd/session-log.ts'

const first = 2 ** 21 + 1

const entry = (part: Partial<LedgerEntry>): LedgerEntry => ({
  opened: 0,
  sealed: [],
  counted: [],
  ...part,
})

const range = (session: number, after: number, upTo: number) => ({ session, after, upTo })

t.test('windows count when they follow those that are counted', async t => {
  const log = new SessionLog()
  t.equal(log.enter(entry({ opened: 2 }), 1), undefined)
  t.equal(log.enter(entry({ counted: [range(first, 0, 2)] }), 1), undefined)
  t.equal(log.enter(entry({ counted: [range(first, 2, 3), range(first + 1, 0, 1)] }), 1), undefined)
  t.match(log.enter(entry({ counted: [range(first, 2, 4)] }), 1), /counted up to 3/)
  t.match(log.enter(entry({ counted: [range(first + 1, 2, 3)] }), 1), /counted up to 1/)
})

t.test('windows of a session that nobody began, or that is sealed, do not count', async t => {
  const log = new SessionLog()
  t.match(log.enter(entry({ counted: [range(first, 0, 1)] }), 1), /up to undefined/)
  log.enter(entry({ opened: 1 }), 2)
  const later = 2 * 2 ** 21 + 1
  t.equal(log.enter(entry({ sealed: [later] }), 2), undefined)
  t.match(log.enter(entry({ counted: [range(later, 0, 1)] }), 2), /sealed up to 0/)
  t.match(log.enter(entry({ sealed: [later] }), 2), /is sealed, which is not open/)
  t.match(log.enter(entry({ sealed: [later + 1] }), 2), /is sealed, which is not open/)
})

t.test('what was counted before an epoch stays counted in it', async t => {
  const log = new SessionLog()
  log.enter(entry({ opened: 1, counted: [] }), 1)
  log.enter(entry({ counted: [range(first, 0, 5)] }), 1)
  t.match(log.enter(entry({ counted: [range(first, 0, 5)] }), 2), /counted up to 5/)
  t.equal(log.enter(entry({ counted: [range(first, 5, 6)] }), 2), undefined)
})
