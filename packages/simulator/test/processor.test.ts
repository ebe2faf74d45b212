import { type Duration, instant } from '@fanfold/kernel'
import t from 'tap'
import { Processor } from '../src/processor.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

function makeProcessor() {
  const clock = new VirtualClock()
  const processor = new Processor(clock)
  const done: string[] = []
  const task = (name: string) => () => {
    done.push(`${name} at ${clock.now}`)
  }
  const at = (micros: number, run: () => void) => clock.at(instant(micros), run)
  return { clock, processor, done, task, at }
}

t.test('what comes is done at once', async t => {
  const { processor, done, task } = makeProcessor()
  processor.do(task('a'))
  t.same(done, ['a at 0'])
  t.notOk(processor.isDelaying)
})

t.test('what comes during a pause is done after it, in order', async t => {
  const { clock, processor, done, task, at } = makeProcessor()
  processor.pause()
  t.ok(processor.isPaused && processor.isDelaying)
  at(10, () => processor.do(task('a')))
  at(20, () => processor.do(task('b')))
  at(30, () => processor.resume())
  at(30, () => processor.do(task('c')))
  clock.runUntil(instant(100))
  t.same(done, ['a at 30', 'b at 30', 'c at 30'])
  t.notOk(processor.isDelaying)
})

t.test('of two pauses that overlap the longer one counts', async t => {
  const { clock, processor, done, task, at } = makeProcessor()
  processor.pause()
  processor.pause()
  processor.do(task('a'))
  at(10, () => processor.resume())
  at(20, () => processor.resume())
  clock.runUntil(instant(100))
  t.same(done, ['a at 20'])
})

t.test('a pause that begins amid what waits holds up the rest', async t => {
  const { clock, processor, done, task, at } = makeProcessor()
  processor.pause()
  processor.do(() => processor.pause())
  processor.do(task('a'))
  at(10, () => processor.resume())
  at(30, () => processor.resume())
  clock.runUntil(instant(100))
  t.same(done, ['a at 30'])
})

t.test('what is slow takes its time for each thing, one after the other', async t => {
  const { clock, processor, done, task, at } = makeProcessor()
  processor.slow(50)
  for (const name of ['a', 'b', 'c']) processor.do(task(name))
  at(60, () => processor.slow(0))
  at(200, () => processor.do(task('d')))
  clock.runUntil(instant(300))
  t.same(done, ['a at 0', 'b at 50', 'c at 100', 'd at 200'])
})

t.test('a process that is gone does nothing more', async t => {
  const { clock, processor, done, task } = makeProcessor()
  processor.pause()
  processor.do(task('a'))
  processor.end()
  processor.resume()
  processor.do(task('b'))
  clock.in(5 as Duration, () => processor.do(task('c')))
  clock.runUntil(instant(100))
  t.same(done, [])
})
