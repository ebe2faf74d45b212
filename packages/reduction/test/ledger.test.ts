import { Prng } from '@fanfold/kernel'
import { ProtocolError } from '@fanfold/protocol'
import t from 'tap'
import { decodeAggregate, encodeAggregate } from '../src/aggregate.ts'
import { decodeContent, encodeContent } from '../src/content.ts'
import { crowdLimits } from '../src/crowd-limits.ts'
import { decodeEntry, encodeEntry, Ledger, type LedgerEntry } from '../src/ledger.ts'
import { decodeStandings, encodeStandings } from '../src/ranges.ts'

const entry = (over: Partial<LedgerEntry>): LedgerEntry => ({
  opened: [],
  sealed: [],
  counted: [],
  ...over,
})
const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }

const first = 5_000_000_000_000
const second = 17

/** A ledger with two sessions. */
function begun(): Ledger {
  const ledger = new Ledger()
  ledger.enter(entry({ opened: [first, second] }))
  return ledger
}

const sessions = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1)

t.test('all or nothing of an aggregate counts: what begins where the ledger stands', async t => {
  const ledger = begun()
  const one = { session: first, after: 0, upTo: 3 }
  t.ok(ledger.takes([one, { session: second, after: 0, upTo: 1 }]))
  t.notOk(ledger.takes([one, { session: second, after: 1, upTo: 2 }]), 'a gap')
  ledger.enter(entry({ counted: [one] }))
  t.notOk(ledger.takes([one]), 'once more')
  t.notOk(ledger.takes([{ session: first, after: 0, upTo: 4 }]), 'an overlap')
  t.ok(ledger.takes([{ session: first, after: 3, upTo: 4 }]))
  t.throws(() => ledger.enter(entry({ counted: [one] })), badFrame)
})

t.test('a sealed session is counted no further, and is known for a while', async t => {
  const ledger = begun()
  ledger.enter(entry({ counted: [{ session: first, after: 0, upTo: 2 }] }))
  ledger.enter(entry({ sealed: [first] }))
  t.notOk(ledger.takes([{ session: first, after: 2, upTo: 3 }]))
  t.same(ledger.standingsOf([first, second, 99]), [
    { session: first, state: 'sealed', upTo: 2 },
    { session: second, state: 'open', upTo: 0 },
    { session: 99, state: 'unknown', upTo: 0 },
  ])
  t.throws(() => ledger.enter(entry({ sealed: [first] })), badFrame, 'once')
})

t.test('so many sealed sessions are remembered, the latest; so many may be open', async t => {
  const ledger = new Ledger()
  const opened = sessions(crowdLimits.sealedMax + 1)
  ledger.enter(entry({ opened }))
  for (const session of opened) ledger.enter(entry({ sealed: [session] }))
  t.match(ledger.standingsOf([1, 2]), [{ state: 'unknown' }, { state: 'sealed' }])
  t.same([ledger.knows(1), ledger.knows(2)], [false, true])
  t.equal(ledger.openCount, 0)
  t.equal(ledger.roomFor(crowdLimits.sessionsMax + 1), crowdLimits.sessionsMax)
  const tooMany = sessions(crowdLimits.sealedMax + 1 + crowdLimits.sessionsMax + 1)
  const more = tooMany.slice(crowdLimits.sealedMax + 1)
  t.throws(() => ledger.enter(entry({ opened: more })), badFrame)
})

t.test('no session is begun twice', async t => {
  const ledger = begun()
  ledger.enter(entry({ sealed: [second] }))
  for (const again of [[first], [second], [3, 3], [0]]) {
    t.throws(() => ledger.enter(entry({ opened: again })), badFrame, `${again}`)
  }
})

t.test('a ledger is the same after a snapshot', async t => {
  const ledger = begun()
  ledger.enter(entry({ counted: [{ session: second, after: 0, upTo: 300 }], sealed: [first] }))
  const copy = Ledger.decode(ledger.encode())
  t.same(copy.standingsOf([first, second]), ledger.standingsOf([first, second]))
  t.same(copy.encode(), ledger.encode())
})

const codecs: readonly (readonly [
  name: string,
  bytes: Uint8Array,
  again: (bytes: Uint8Array) => Uint8Array,
])[] = [
  ['a ledger', begun().encode(), bytes => Ledger.decode(bytes).encode()],
  [
    'an entry',
    encodeEntry({
      opened: [3, 2 ** 53 - 1],
      sealed: [7, 9],
      counted: [{ session: 4, after: 1, upTo: 9 }],
    }),
    bytes => encodeEntry(decodeEntry(bytes)),
  ],
  [
    'an aggregate',
    encodeAggregate({
      ranges: [
        { session: 1, after: 0, upTo: 1 },
        { session: 300, after: 70_000, upTo: 70_004 },
      ],
      content: encodeContent([{ reducer: 'cheer', shape: 'count', bytes: Uint8Array.of(1) }]),
    }),
    bytes => encodeAggregate(decodeAggregate(bytes)),
  ],
  [
    'sums',
    encodeContent([{ reducer: 'cheer', shape: 'count', bytes: Uint8Array.of(1) }]),
    bytes => encodeContent(decodeContent(bytes)),
  ],
  [
    'standings',
    encodeStandings([
      { session: 2, state: 'open', upTo: 300 },
      { session: 3, state: 'unknown', upTo: 0 },
    ]),
    bytes => encodeStandings(decodeStandings(bytes)),
  ],
]

for (const [name, bytes, again] of codecs) {
  t.test(`${name} is read as it was written; other bytes are refused`, async t => {
    t.same(again(bytes), bytes)
    const prng = new Prng(name)
    let refused = 0
    for (let round = 0; round < 4_000; round++) {
      const changed = Uint8Array.from(bytes)
      changed[prng.below(changed.length)] = prng.below(256)
      const cut = prng.chance(0.3) ? changed.subarray(0, prng.below(changed.length)) : changed
      try {
        again(cut)
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        refused++
      }
    }
    t.ok(refused > 100, `${refused}`)
  })
}
