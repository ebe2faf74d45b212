import { type Instant, instant } from '@fanfold/kernel'
import t from 'tap'
import {
  LastingTrouble,
  lastsEveryMs,
  quietMs,
  type TroubleEffect,
} from '../src/lasting-trouble.ts'

const at = (ms: number): Instant => instant(ms * 1_000)

/** A trouble, and what it tells at each time, with the driver's ticks. */
function makeTrouble() {
  const trouble = new LastingTrouble()
  const told: (TroubleEffect & { readonly atMs: number })[] = []
  const tell = (nowMs: number, run: (effects: TroubleEffect[]) => void): void => {
    const effects: TroubleEffect[] = []
    run(effects)
    told.push(...effects.map(effect => ({ ...effect, atMs: nowMs })))
  }
  const passTo = (nowMs: number): void => {
    for (let due = trouble.wakeAt(); due !== undefined && due <= at(nowMs); ) {
      const now = due
      tell(now / 1_000, effects => trouble.tick(now, effects))
      due = trouble.wakeAt()
    }
  }
  const receive = (nowMs: number, input: Parameters<LastingTrouble['receive']>[0]): void => {
    passTo(nowMs)
    tell(nowMs, effects => trouble.receive(input, at(nowMs), effects))
  }
  return {
    trouble,
    told,
    passTo,
    meet: (nowMs: number, reason = 'full') => receive(nowMs, { kind: 'met', fields: { reason } }),
    goWell: (nowMs: number) => receive(nowMs, { kind: 'went-well' }),
  }
}

t.test('trouble is told of when it begins and when it is over', async t => {
  const { trouble, told, passTo, meet, goWell } = makeTrouble()
  goWell(0)
  t.notOk(trouble.isOn)
  for (let ms = 100; ms <= 3_100; ms += 10) meet(ms)
  goWell(3_200)
  t.match(told, [{ kind: 'begins', fields: { reason: 'full' }, atMs: 100 }])
  passTo(3_100 + quietMs - 1)
  t.equal(told.length, 1)
  passTo(3_100 + quietMs)
  t.match(told[1], { kind: 'ends', lasted: 3_000_000, count: 301 })
  t.notOk(trouble.isOn)
  t.equal(trouble.wakeAt(), undefined)
})

t.test('while it lasts there is a line a minute at most, with how often it was met', async t => {
  const { told, meet } = makeTrouble()
  for (let ms = 0; ms < 180_000; ms += 100) meet(ms, `at ${ms}`)
  t.same(
    told.map(({ kind, atMs }) => [kind, atMs]),
    [
      ['begins', 0],
      ['lasts', lastsEveryMs],
      ['lasts', 2 * lastsEveryMs],
    ],
  )
  t.match(told[1], { count: 599, fields: { reason: 'at 59900' } })
  t.match(told[2], { count: 600 })
})

t.test('trouble that nobody meets is not told of, and is on until something goes well', async t => {
  const { trouble, told, passTo, meet, goWell } = makeTrouble()
  meet(0)
  passTo(1_000_000)
  t.equal(told.length, 1)
  t.ok(trouble.isOn)
  goWell(1_000_001)
  t.match(told[1], { kind: 'ends', atMs: 1_000_001, lasted: 0, count: 1 })
})

t.test('trouble that comes and goes is one trouble', async t => {
  const { told, passTo, meet, goWell } = makeTrouble()
  for (let ms = 0; ms < 50_000; ms += 1_000) {
    meet(ms)
    goWell(ms + 500)
  }
  t.equal(told.length, 1)
  passTo(100_000)
  t.match(told[1], { kind: 'ends', count: 50 })
  t.equal(told.length, 2)
})

t.test('trouble that is over may begin again', async t => {
  const { told, meet, goWell } = makeTrouble()
  meet(0)
  goWell(1)
  meet(quietMs)
  t.same(
    told.map(({ kind }) => kind),
    ['begins', 'ends', 'begins'],
  )
  t.ok(told.every(({ atMs }) => atMs <= quietMs))
})
