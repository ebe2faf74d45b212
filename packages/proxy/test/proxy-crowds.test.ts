/* What crowds say on its way up, and the answers on theirs down. */
import { count } from '@fanfold/definition'
import type { LinkFrame } from '@fanfold/protocol'
import {
  crowdLimits,
  decodeAggregate,
  decodeContent,
  decodeStandings,
  encodeAggregate,
  encodeContent,
  encodeStandings,
  type Range,
  type Standing,
} from '@fanfold/reduction'
import t from 'tap'
import {
  child,
  doc,
  framesOf,
  link,
  live,
  parent,
  positionAt,
  type Rig,
  welcome,
} from './build-proxy.ts'

const second = link(2)
const claps = count()

const claim = (session: number, after: number, upTo: number): Range => ({ session, after, upTo })
const open = (session: number, upTo: number): Standing => ({ session, state: 'open', upTo })

/** What a child says. */
function said(number: number, ranges: readonly Range[], { asked = 0, times = 1 } = {}): LinkFrame {
  const bytes = claps.encode({ count: times })
  const content = encodeContent([{ reducer: 'clap', shape: 'count', bytes }])
  const aggregate = ranges.length === 0 ? new Uint8Array(0) : encodeAggregate({ ranges, content })
  return { kind: 'crowd', doc, number, asked, aggregate }
}

/** What the parent answers. */
const answer = (
  number: number,
  standings: readonly Standing[],
  { waitMs = 0, sessions = [] as readonly number[] } = {},
): LinkFrame => ({
  kind: 'crowd-answer',
  doc,
  number,
  waitMs,
  sessions,
  standings: standings.length === 0 ? new Uint8Array(0) : encodeStandings(standings),
})

/** What is sent up, taken apart. */
const upward = (rig: Rig, to = parent) =>
  rig.sent(to).flatMap(frame => {
    if (frame.kind !== 'crowd') return []
    const { number, asked } = frame
    if (frame.aggregate.length === 0) return [{ number, asked, ranges: [], times: 0 }]
    const { ranges, content } = decodeAggregate(frame.aggregate)
    const times = decodeContent(content).map(({ bytes }) => claps.decode(bytes).count)
    return [{ number, asked, ranges, times: times.reduce((sum, one) => sum + one, 0) }]
  })

/** What the children were told. */
const downward = (rig: Rig) => {
  const effects = rig.effects()
  return [child, second].flatMap(to =>
    framesOf(effects, to).flatMap(frame => {
      if (frame.kind !== 'crowd-answer') return []
      const { number, waitMs, sessions } = frame
      const standings = frame.standings.length === 0 ? [] : decodeStandings(frame.standings)
      return [{ to, number, waitMs, sessions, standings }]
    }),
  )
}

/** A proxy with two children that have the document. */
function rigOfTwo(): Rig {
  const rig = live()
  rig.open(second)
  rig.join(second, positionAt(10))
  rig.effects()
  return rig
}

t.test('what two children say is one thing to the parent, and each is told of its own', async t => {
  const rig = rigOfTwo()
  rig.frame(child, said(7, [claim(1, 0, 2)], { times: 10 }))
  rig.frame(second, said(3, [claim(2, 4, 5)], { times: 1, asked: 2 }))
  rig.pass(0)
  const [sent, ...more] = upward(rig)
  t.same(more, [])
  t.match(sent, { asked: 2, ranges: [claim(1, 0, 2), claim(2, 4, 5)], times: 11 })
  rig.frame(
    parent,
    answer(sent?.number ?? 0, [open(1, 2), open(2, 5)], {
      waitMs: 250,
      sessions: [30, 12],
    }),
  )
  t.same(downward(rig), [
    { to: child, number: 7, waitMs: 235, sessions: [], standings: [open(1, 2)] },
    { to: second, number: 3, waitMs: 235, sessions: [30, 12], standings: [open(2, 5)] },
  ])
})

t.test('one thing is under way, and the next goes when the parent wants it', async t => {
  const rig = rigOfTwo()
  rig.frame(child, said(1, [claim(1, 0, 1)]))
  rig.pass(0)
  const [sent] = upward(rig)
  rig.frame(second, said(1, [claim(2, 0, 1)]))
  rig.pass(100)
  t.same(upward(rig), [])
  rig.frame(parent, answer(sent?.number ?? 0, [open(1, 1)], { waitMs: 300 }))
  rig.frame(child, said(2, [claim(1, 1, 2)]))
  rig.pass(199)
  t.same(upward(rig), [])
  rig.pass(1)
  t.match(upward(rig), [{ ranges: [claim(1, 1, 2), claim(2, 0, 1)] }])
})

t.test('children are told to say the next shortly before this node may', async t => {
  const rig = rigOfTwo()
  rig.frame(child, said(1, [claim(1, 0, 1)]))
  rig.pass(0)
  const [sent] = upward(rig)
  rig.frame(parent, answer(sent?.number ?? 0, [open(1, 1)], { waitMs: 300 }))
  t.match(downward(rig), [{ to: child, waitMs: 285 }])
  rig.pass(200)
  rig.frame(second, said(1, [claim(2, 0, 1)]))
  rig.pass(100)
  const [next] = upward(rig)
  rig.pass(10)
  rig.frame(parent, answer(next?.number ?? 0, [open(2, 1)], { waitMs: 300 }))
  t.match(downward(rig), [{ to: second, waitMs: 385 }], 'what it has said lay here for 100 ms')
  rig.frame(child, said(2, [claim(1, 1, 2)]))
  rig.pass(290)
  const [last] = upward(rig)
  rig.frame(parent, answer(last?.number ?? 0, [open(1, 2)]))
  t.match(downward(rig), [{ to: child, waitMs: 275 }], 'it may say the next when it wants')
})

t.test('another parent is told what the one before has not answered', async t => {
  const rig = rigOfTwo()
  rig.frame(child, said(1, [claim(1, 0, 1)]))
  rig.pass(0)
  const [sent] = upward(rig)
  const next = link(101)
  rig.close(parent)
  rig.open(next)
  rig.pass(10)
  rig.effects()
  rig.frame(next, welcome('tail', 10))
  rig.pass(0)
  const [again] = upward(rig, next)
  t.match(again, { ranges: [claim(1, 0, 1)] })
  t.not(again?.number, sent?.number)
})

t.test('what is not answered is said again; who has left is in it no more', async t => {
  const rig = rigOfTwo()
  rig.frame(child, said(1, [claim(1, 0, 1)]))
  rig.frame(second, said(1, [claim(2, 0, 1)]))
  rig.pass(0)
  const [sent] = upward(rig)
  rig.frame(second, { kind: 'leave', doc })
  rig.pass(crowdLimits.resendMs)
  const [again] = upward(rig)
  t.match(again, { ranges: [claim(1, 0, 1)] })
  rig.frame(parent, answer(sent?.number ?? 0, [open(1, 1), open(2, 1)]))
  t.same(downward(rig), [], 'an answer to the first one says nothing any more')
  rig.frame(parent, answer(again?.number ?? 0, [open(1, 1)]))
  t.match(downward(rig), [{ to: child, waitMs: crowdLimits.resendMs - 15 }], 'that time is over')
})

t.test('a bad aggregate, or bad standings, close the link they came by', async t => {
  const rig = rigOfTwo()
  rig.frame(child, { kind: 'crowd', doc, number: 1, asked: 0, aggregate: Uint8Array.of(9, 9) })
  t.match(rig.effects(), [{ kind: 'link-close', link: child, code: 'FANFOLD_BAD_FRAME' }])
  rig.frame(second, said(1, [claim(2, 0, 1)]))
  rig.pass(0)
  const [sent] = upward(rig)
  const number = sent?.number ?? 0
  rig.frame(parent, { ...answer(number, []), standings: Uint8Array.of(1) } as LinkFrame)
  t.match(rig.effects(), [{ kind: 'link-close', link: parent, code: 'FANFOLD_BAD_FRAME' }])
})

t.test('of a document that is not served here nothing is held', async t => {
  const rig = rigOfTwo()
  rig.frame(child, { kind: 'leave', doc })
  rig.frame(child, said(1, [claim(1, 0, 1)]))
  rig.pass(0)
  t.same(upward(rig), [])
})

t.test('children that come, speak and go leave nothing that is said or waited for', async t => {
  const rig = rigOfTwo()
  const said1 = (session: number): LinkFrame => said(1, [claim(session, 0, 1)])
  for (let n = 0; n < 300; n++) {
    const passing = link(100 + n)
    rig.open(passing)
    rig.join(passing, positionAt(10))
    rig.frame(passing, said1(100 + n))
    rig.pass(1)
    if (n % 2 === 0) rig.frame(passing, { kind: 'leave', doc })
    else rig.close(passing)
  }
  rig.effects()
  rig.pass(crowdLimits.resendMs)
  t.same(upward(rig), [], 'what nobody has any more is not said again')
  rig.frame(child, said1(1))
  rig.pass(0)
  t.match(upward(rig), [{ ranges: [claim(1, 0, 1)], times: 1 }], 'and in nothing that is')
})
