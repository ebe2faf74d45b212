import { instant } from '@fanfold/kernel'
import { decodeLinkFrame, type LinkEffect, type LinkId, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { crowdLimits } from '../src/crowd-limits.ts'
import type { Downward, Upward } from '../src/exchange.ts'
import { encodeStandings } from '../src/ranges.ts'
import { CrowdUplink } from '../src/uplink.ts'

const doc = parseDocumentKey('acme/match/final')
const ms = (count: number) => instant(count * 1_000)

/** An uplink of one document, whose source has `left` things to say. */
function rig() {
  let link: LinkId | undefined = 1 as LinkId
  const answers: Downward[] = []
  const state = { left: 0, interrupted: 0 }
  const uplink = new CrowdUplink({
    linkOf: () => link,
    sourceOf: () => ({
      next: (): Upward | undefined => {
        if (state.left === 0) return undefined
        return { asked: state.left, aggregate: undefined }
      },
      answered: answer => {
        state.left--
        answers.push(answer)
      },
      interrupt: () => state.interrupted++,
    }),
  })
  /** What is sent at the time, in ms. */
  const tick = (at: number) => {
    const effects: LinkEffect[] = []
    uplink.tick(ms(at), effects)
    return effects.map(effect => {
      if (effect.kind !== 'link-send') throw new Error(effect.kind)
      const frame = decodeLinkFrame(effect.frame)
      if (frame?.kind !== 'crowd') throw new Error(frame?.kind)
      return { link: effect.link, number: frame.number, asked: frame.asked }
    })
  }
  const answer = (number: number, at: number, { waitMs = 0, on = 1, upTo = 3 } = {}) =>
    uplink.receive(
      {
        kind: 'crowd-answer',
        doc,
        number,
        waitMs,
        sessions: [9],
        standings: encodeStandings([{ session: 4, state: 'open', upTo }]),
      },
      on as LinkId,
      ms(at),
    )
  const dueMs = () => {
    const at = uplink.wakeAt()
    return at === undefined ? undefined : at / 1_000
  }
  const setLink = (to: number | undefined) => {
    link = to as LinkId | undefined
  }
  return { uplink, state, answers, tick, answer, dueMs, setLink }
}

t.test('one thing at a time goes up, the next when the parent wants it', async t => {
  const { uplink, state, answers, tick, answer, dueMs } = rig()
  state.left = 3
  uplink.want(doc, ms(100))
  t.equal(dueMs(), 100)
  t.match(tick(100), [{ link: 1, number: 1, asked: 3 }])
  uplink.want(doc, ms(120))
  t.same(tick(120), [], 'one is under way')
  answer(1, 130, { waitMs: 250 })
  t.match(answers, [{ sessions: [9], standings: [{ session: 4, upTo: 3 }] }])
  t.equal(uplink.wantedAt(doc), ms(350))
  t.equal(dueMs(), 350, 'counted from when the last one was sent')
  t.same(tick(349), [])
  t.match(tick(350), [{ number: 2 }])
  answer(2, 800, { waitMs: 250 })
  t.match(tick(800), [{ number: 3 }], 'at once when the answer took longer')
})

t.test('where nothing is to be said nothing is due, and the wait still holds', async t => {
  const { uplink, state, tick, answer, dueMs } = rig()
  state.left = 1
  uplink.want(doc, ms(0))
  tick(0)
  answer(1, 10, { waitMs: 100 })
  t.same(tick(100), [])
  t.equal(dueMs(), undefined)
  state.left = 1
  uplink.want(doc, ms(105))
  t.equal(dueMs(), 105)
  t.match(tick(105), [{ number: 2 }])
  answer(2, 110, { waitMs: 100 })
  t.same(tick(205), [])
  state.left = 1
  uplink.want(doc, ms(206))
  t.match(tick(206), [{ number: 3 }])
})

t.test('what is not answered is said again, under another number', async t => {
  const { uplink, state, answers, tick, answer, dueMs } = rig()
  state.left = 1
  uplink.want(doc, ms(0))
  tick(0)
  t.equal(dueMs(), crowdLimits.resendMs)
  t.match(tick(crowdLimits.resendMs), [{ number: 2, asked: 1 }])
  t.equal(state.interrupted, 1)
  answer(1, crowdLimits.resendMs + 1)
  t.same(answers, [], 'an answer to the first one says nothing any more')
  answer(2, crowdLimits.resendMs + 2, { on: 7 })
  t.same(answers, [], 'nor does one of another parent')
  answer(2, crowdLimits.resendMs + 3)
  t.equal(answers.length, 1)
})

t.test('another parent is told at once; without one nothing is said', async t => {
  const { uplink, state, tick, setLink } = rig()
  state.left = 1
  uplink.joined(doc, ms(0))
  t.same(tick(0), [], 'nobody has said that there is something')
  uplink.want(doc, ms(0))
  t.match(tick(0), [{ link: 1 }])
  setLink(2)
  uplink.joined(doc, ms(40))
  t.equal(state.interrupted, 1)
  t.match(tick(40), [{ link: 2, number: 2 }])
  setLink(undefined)
  uplink.joined(doc, ms(50))
  t.same(tick(50), [])
  setLink(3)
  uplink.joined(doc, ms(60))
  t.match(tick(60), [{ link: 3, number: 3 }])
  uplink.forget(doc)
  t.equal(uplink.wakeAt(), undefined)
})
