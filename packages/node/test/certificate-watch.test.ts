import { TestAuthority } from '@fanfold/conformance'
import t, { type Test } from 'tap'
import { CertificateWatch } from '../src/certificate-watch.ts'
import type { Log, LogFields } from '../src/logging.ts'
import { silent } from './start-rig.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000
const authority = new TestAuthority('authority of tests')
/** Certificates have no parts of a second. */
const startMs = Date.UTC(2026, 5, 1)
const ending = (days: number) =>
  authority.issue({ hosts: ['a'], fromMs: startMs - dayMs, endsAtMs: startMs + days * dayMs })

/** A watch whose clock the test turns. */
function open(t: Test, days: number) {
  const lines: [string, LogFields][] = []
  const log: Log = {
    ...silent,
    info: fields => lines.push(['info', fields]),
    warn: fields => lines.push(['warn', fields]),
    error: fields => lines.push(['error', fields]),
  }
  let elapsedMs = 0
  const watch = new CertificateWatch({
    certificate: ending(days),
    log,
    wallClock: () => startMs + elapsedMs,
    nowMs: () => elapsedMs,
  })
  t.teardown(() => watch.close())
  return {
    watch,
    lines,
    /** Hours pass, with a look in each. */
    pass: (hours: number): void => {
      for (let hour = 0; hour < hours; hour++) {
        elapsedMs += hourMs
        watch.look()
      }
    },
  }
}

await t.test('one that ends in two weeks or later is no matter', async t => {
  const { watch, lines, pass } = open(t, 14)
  t.equal(watch.secondsLeft, (14 * dayMs) / 1_000)
  t.same(lines, [])
  pass(1)
  t.match(lines, [['warn', { event: 'tls.certificate-ends', daysLeft: 13 }]])
})

await t.test('it is told once a day, and as an error when it has ended', async t => {
  const { watch, lines, pass } = open(t, 3)
  pass(24 * 5)
  t.match(
    lines.map(([level, { event, daysLeft }]) => [level, event, daysLeft]),
    [
      ['warn', 'tls.certificate-ends', 3],
      ['warn', 'tls.certificate-ends', 2],
      ['warn', 'tls.certificate-ends', 1],
      ['warn', 'tls.certificate-ends', 0],
      ['error', 'tls.certificate-ended', -1],
      ['error', 'tls.certificate-ended', -2],
    ],
  )
  t.equal(watch.secondsLeft, (-2 * dayMs) / 1_000)
  t.equal(lines[0]?.[1]['endsAt'], new Date(startMs + 3 * dayMs).toISOString())
})

await t.test('one that was renewed is told of, and is no matter any more', async t => {
  const { watch, lines, pass } = open(t, 3)
  watch.take(ending(90))
  pass(48)
  t.match(
    lines.map(([level, { event }]) => [level, event]),
    [
      ['warn', 'tls.certificate-ends'],
      ['info', 'tls.certificate-taken'],
    ],
  )
  watch.take(ending(5))
  t.equal(lines.at(-1)?.[1]['event'], 'tls.certificate-ends', 'each one is told of by itself')
})
