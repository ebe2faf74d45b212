import t from 'tap'
import { DeliveryWindow, windowBytesMin } from '../src/delivery-window.ts'
import { type Line, type Run, runOver } from './slow-line.ts'

const bytesMax = 262_144
const minutes = 60_000
const at = (nowMs: number) => ({ nowMs, awakeMs: nowMs })

/** A frame of so many bytes every so often. */
const every = (periodMs: number, bytes: number) => (ms: number) => (ms % periodMs === 0 ? bytes : 0)
/** What was missed, as one delta: as large as all of it, and never larger than the state. */
const upTo = (stateBytes: number) => (missedBytes: number) => Math.min(missedBytes, stateBytes)

const roundTrips = [1, 50, 100, 600]

function over(line: Line, options: Partial<Parameters<typeof runOver>[0]> = {}): Run {
  return runOver({
    line,
    forMs: 2 * minutes,
    frameAt: every(100, 1_200),
    catchUpBytes: upTo(3_000),
    ...options,
  })
}

t.test(
  'a viewer at 64 kbit/s that would be sent 12 kB/s is two seconds behind at most',
  async t => {
    for (const roundTripMs of roundTrips) {
      const line = { bytesPerSecond: 8_000, roundTripMs }
      // A frame that takes longer than the way there and back is not in question on the longest way.
      const rough = roundTripMs < 600 ? [every(500, 6_000)] : []
      for (const frameAt of [every(100, 1_200), every(15, 180), ...rough]) {
        for (const firstProbe of [0, 1]) {
          const run = over(line, { frameAt, firstProbe })
          t.ok(run.stateAgeMaxMs < 2_000, `${run.stateAgeMaxMs} ms at ${roundTripMs} ms`)
          t.ok(run.windowBytes >= windowBytesMin && run.windowBytes <= 8_192)
        }
      }
    }
  },
)

t.test('so is one that was sent next to nothing for a minute', async t => {
  const busy = every(100, 1_200)
  for (const calm of [every(1_000, 100), every(200, 250)]) {
    for (const roundTripMs of roundTrips) {
      const line = { bytesPerSecond: 8_000, roundTripMs }
      const run = over(line, { frameAt: ms => (ms < minutes ? calm(ms) : busy(ms)) })
      t.ok(run.stateAgeMaxMs < 2_000, `${run.stateAgeMaxMs} ms at ${roundTripMs} ms`)
    }
  }
})

t.test(
  'a snapshot of 70 kB does not make it flap, and it is soon no more behind than others',
  async t => {
    for (const roundTripMs of roundTrips) {
      const line = { bytesPerSecond: 8_000, roundTripMs }
      const alone = over(line, { firstBytes: 70_000, frameAt: () => 0 })
      t.equal(alone.lags, 0)
      const first = over(line, { firstBytes: 70_000, forMs: 9_000 })
      t.ok(first.lags <= 1, 'at most once while it has not the snapshot')
      const run = over(line, { firstBytes: 70_000, settledMs: 13_000 })
      t.ok(run.stateAgeMaxMs < 2_000, `${run.stateAgeMaxMs} ms at ${roundTripMs} ms`)
    }
  },
)

t.test(
  'a viewer at 800 kbit/s that would be sent 150 kB/s is two seconds behind at most',
  async t => {
    for (const roundTripMs of roundTrips) {
      const run = over(
        { bytesPerSecond: 100_000, roundTripMs },
        { frameAt: every(20, 3_000), catchUpBytes: upTo(10_000) },
      )
      t.ok(run.stateAgeMaxMs < 2_000, `${run.stateAgeMaxMs} ms at ${roundTripMs} ms`)
      t.ok(run.heldBytesMax <= bytesMax + 3_000)
    }
  },
)

t.test('a line that takes all it is sent never makes a viewer lag', async t => {
  const bursts = (ms: number) => (ms % 5_000 < 50 ? 10_000 : every(100, 1_200)(ms))
  for (const roundTripMs of roundTrips) {
    const healthy: readonly (readonly [number, Partial<Parameters<typeof runOver>[0]>])[] = [
      [8_000, { frameAt: every(100, 400) }],
      [100_000, { frameAt: every(20, 1_000) }],
      [1_000_000, {}],
      [1_000_000, { frameAt: every(100, 200) }],
      [1_000_000, { frameAt: bursts }],
      [1_000_000, { firstBytes: 200_000 }],
      [10_000_000, { frameAt: every(50, 5_000), firstBytes: 100_000 }],
    ]
    for (const [bytesPerSecond, options] of healthy) {
      const { lags } = over({ bytesPerSecond, roundTripMs }, options)
      t.equal(lags, 0, `${bytesPerSecond} bytes per second, ${roundTripMs} ms`)
    }
  }
})

t.test('probes of a healthy viewer are few', async t => {
  for (const roundTripMs of [1, 50, 100]) {
    const line = { bytesPerSecond: 1_000_000, roundTripMs }
    const calm = over(line, { frameAt: every(100, 200) })
    t.ok(calm.probes <= 2 * 60 * 0.2, `${calm.probes} in two minutes at 2 kB/s`)
    const busy = over(line, { frameAt: every(20, 20_000), forMs: 20_000 })
    t.ok(busy.probes <= 50 * 20 * 2, `${busy.probes} in 20 s at 1 MB/s`)
  }
})

t.test(
  'a pause costs a healthy viewer one time of lagging, and its window widens by use',
  async t => {
    for (const roundTripMs of [1, 50, 100]) {
      const line = {
        bytesPerSecond: 1_000_000,
        roundTripMs,
        pauses: [{ fromMs: 20_000, toMs: 23_000 }],
      }
      const run = over(line, { settledMs: 24_000 })
      t.equal(run.lags, 1)
      t.ok(run.stateAgeMaxMs < 500, `${run.stateAgeMaxMs} ms`)
      t.ok(run.heldBytesMax < 40_000, `${run.heldBytesMax} bytes went into the pause`)
      const bursts = over(line, {
        frameAt: ms => (ms % 5_000 < 50 ? 5_000 : every(100, 1_200)(ms)),
        settledMs: 24_000,
      })
      t.ok(bursts.lags <= 4)
      t.ok(bursts.windowBytes > 16_384)
    }
  },
)

t.test('a line that falls silent for good holds no more than two seconds of frames', async t => {
  const line = {
    bytesPerSecond: 1_000_000,
    roundTripMs: 50,
    pauses: [{ fromMs: 20_000, toMs: 1e9 }],
  }
  const run = over(line)
  t.equal(run.lags, 1)
  t.ok(run.heldBytesMax < 40_000, `${run.heldBytesMax}`)
})

t.test('nothing but what is on its way is confirmed, and what is before it with it', t => {
  const window = new DeliveryWindow({ bytesMax, firstProbe: 0 })
  window.begin(0)
  window.wrote(1_000)
  window.probe(11, at(0))
  window.wrote(1_000)
  window.probe(12, at(0))
  window.wrote(1_000)
  t.notOk(window.confirm(10, at(5)))
  t.equal(window.heldBytes, 3_000)
  t.ok(window.confirm(12, at(10)))
  t.equal(window.heldBytes, 1_000)
  t.notOk(window.confirm(11, at(15)), 'the earlier one counts no more')
  t.notOk(window.confirm(12, at(15)), 'none counts twice')
  t.equal(window.heldBytes, 1_000)
  t.notOk(window.isProbing)
  t.end()
})

t.test('a viewer is over its window past it and not at it', t => {
  const window = new DeliveryWindow({ bytesMax: 10_000, firstProbe: 0 })
  window.wrote(10_000)
  t.notOk(window.isOver)
  window.wrote(1)
  t.ok(window.isOver)
  t.end()
})

t.test('a viewer has drained at half of its window, at a quarter of a narrow one', t => {
  for (const [bytesMax, drainedAt] of [
    [16_384, 4_096],
    [16_385, 8_192],
  ] as const) {
    const window = new DeliveryWindow({ bytesMax, firstProbe: 0 })
    window.wrote(bytesMax + 1)
    window.probe(1, at(0))
    window.wrote(drainedAt)
    t.notOk(window.isDrained)
    window.confirm(1, at(100))
    t.equal(window.heldBytes, drainedAt)
    t.ok(window.isDrained)
    window.wrote(1)
    t.notOk(window.isDrained)
  }
  t.end()
})

t.test('an answer that is overdue is too much held, until it comes', t => {
  const window = new DeliveryWindow({ bytesMax, firstProbe: 0 })
  window.wrote(10)
  window.probe(1, at(0))
  window.judge(1_249)
  t.notOk(window.isOver)
  window.judge(1_250)
  t.ok(window.isOver)
  t.notOk(window.isDrained)
  t.notOk(window.hasRoomFor(1))
  window.confirm(1, at(1_300))
  t.notOk(window.isOver)
  t.end()
})

t.test('time in which this process did not run makes nothing overdue', t => {
  const window = new DeliveryWindow({ bytesMax, firstProbe: 0 })
  window.wrote(10)
  window.probe(1, { nowMs: 0, awakeMs: 0 })
  window.judge(500)
  t.notOk(window.isOver)
  window.confirm(1, { nowMs: 60_000, awakeMs: 500 })
  t.notOk(window.isOver)
  t.end()
})

t.test(
  'there is room for a large frame below three quarters of the window, or when nothing is held',
  t => {
    const window = new DeliveryWindow({ bytesMax: 100_000, firstProbe: 0 })
    t.ok(window.hasRoomFor(1_000_000))
    window.wrote(25_000)
    t.ok(window.hasRoomFor(50_000))
    t.notOk(window.hasRoomFor(50_001))
    t.end()
  },
)

t.test('viewers that came together are not probed together', t => {
  const probedAfter = (firstProbe: number): number => {
    const window = new DeliveryWindow({ bytesMax, firstProbe })
    window.begin(0)
    while (!window.takeDueProbe(0)) window.wrote(1)
    return window.writtenBytes
  }
  t.same([0, 0.5, 1].map(probedAfter), [1_024, 2_560, 4_096])
  t.end()
})

t.test(
  'a viewer that is sent what any line takes is probed late, and one that is sent more is not',
  t => {
    const probedAfter = (bytesPerSecond: number): number => {
      const window = new DeliveryWindow({ bytesMax, firstProbe: 0 })
      window.begin(0)
      for (let second = 1; ; second++) {
        window.wrote(bytesPerSecond)
        if (window.takeDueProbe(second * 1_000)) return window.writtenBytes
      }
    }
    t.same([1_000, 6_144, 6_145].map(probedAfter), [17_000, 18_432, 6_145])
    t.end()
  },
)

t.test('probes that wait for their answers are bounded', t => {
  const window = new DeliveryWindow({ bytesMax, firstProbe: 0 })
  let probes = 0
  for (let count = 0; count < 100; count++) {
    window.wrote(20_000)
    if (!window.takeDueProbe(0)) continue
    window.probe(++probes, at(0))
  }
  t.equal(probes, 32)
  window.confirm(1, at(1))
  t.ok(window.takeDueProbe(0), 'the next one covers all that came since')
  t.end()
})
