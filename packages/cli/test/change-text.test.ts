import type { Change } from '@fanfold/client'
import t from 'tap'
import { changeJson, changeText, isAfter, parsePlace } from '../src/change-text.ts'

const delta = (overrides: Partial<Change> = {}): Change => ({
  kind: 'delta',
  epoch: 3,
  from: 120,
  seq: 121,
  patch: [
    { op: 'replace', path: '/score/home', value: 2 },
    { op: 'remove', path: '/odds' },
  ],
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 67),
  ...overrides,
})

await t.test('a change for people is a line for each operation', async t => {
  t.equal(
    changeText(delta()),
    '3:121  03:04:05.067  replace /score/home  2\n3:121  03:04:05.067  remove /odds',
  )
  t.equal(changeText(delta({ patch: [] })), '3:121  03:04:05.067  nothing visible changed')
  const move = delta({ from: 121, patch: [{ op: 'remove', path: '/odds' }] })
  t.equal(changeText(move), '3:121  03:04:05.067  another view\n3:121  03:04:05.067  remove /odds')
  t.equal(changeText(delta({ from: 121, patch: [] })), '3:121  03:04:05.067  another view')
})

await t.test('a snapshot is told by its size, a long value is cut', async t => {
  const snapshot = delta({
    kind: 'snapshot',
    patch: [{ op: 'replace', path: '', value: { a: 1 } }],
    time: undefined,
  })
  t.equal(changeText(snapshot), '3:121  snapshot of 8 bytes')
  const long = delta({ patch: [{ op: 'add', path: '/a', value: 'x'.repeat(500) }] })
  t.ok(changeText(long).length < 150)
})

await t.test('a change for programs is one line of JSON', async t => {
  t.equal(
    changeJson(delta({ patch: [], time: 5 })),
    '{"kind":"delta","from":120,"seq":121,"epoch":3,"time":5,"patch":[]}',
  )
  t.match(changeJson(delta({ numbering: 'dense' })), '"numbering":"dense"')
})

await t.test('a place is EPOCH:SEQ, and later epochs come after it', async t => {
  const place = parsePlace('3:120')
  t.same(place, { epoch: 3, seq: 120 })
  t.equal(isAfter(delta({ from: 119, seq: 120 }), place), false)
  t.equal(isAfter(delta({ seq: 121 }), place), true)
  t.equal(isAfter(delta({ epoch: 4, from: 0, seq: 1 }), place), true)
  t.equal(isAfter(delta({ epoch: 2, seq: 500 }), place), false)
  t.equal(isAfter(delta({ epoch: 0, seq: 0 }), undefined), true)
  t.equal(isAfter(delta({ from: 120, seq: 120 }), place), true, 'a move to another view there')
  t.equal(isAfter(delta({ kind: 'snapshot', from: 120, seq: 120 }), place), false)
  t.equal(isAfter(delta({ from: 119, seq: 119 }), place), false)
  for (const text of ['', '3', '3:', ':4', 'a:1', '3:-1']) {
    t.throws(() => parsePlace(text), { code: 'FANFOLD_USAGE' }, text)
  }
})
