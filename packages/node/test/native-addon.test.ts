import type { Addon } from '@fanfold/native'
import t from 'tap'
import { loadSendAll } from '../src/native-addon.ts'

const on = { native: true }

/** A log that keeps what it is given. */
function kept(): { lines: unknown[]; warn: (line: object) => void } {
  const lines: unknown[] = []
  return { lines, warn: line => lines.push(line) }
}

t.test('an addon that was built is used, unless it is switched off', async t => {
  const log = kept()
  const sendAll = (): number => 0
  const load = (): Addon => ({ kind: 'loaded', sendAll })
  t.equal(loadSendAll(on, log, load), sendAll)
  t.equal(
    loadSendAll({ native: false }, log, () => {
      throw new Error('it is not even loaded')
    }),
    undefined,
  )
  t.same(log.lines, [])
})

t.test('nothing is said where none was built, and a warning where it cannot be used', async t => {
  const log = kept()
  const absent = (why: 'not-built' | 'stale' | 'unloadable') => (): Addon => ({
    kind: 'absent',
    why,
    reason: 'for a reason',
  })
  t.equal(loadSendAll(on, log, absent('not-built')), undefined)
  t.same(log.lines, [])
  t.equal(loadSendAll(on, log, absent('stale')), undefined)
  t.equal(loadSendAll(on, log, absent('unloadable')), undefined)
  t.same(log.lines, [
    { event: 'native.unused', why: 'stale', reason: 'for a reason' },
    { event: 'native.unused', why: 'unloadable', reason: 'for a reason' },
  ])
})
