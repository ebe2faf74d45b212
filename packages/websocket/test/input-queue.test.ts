import t from 'tap'
import { InputQueue } from '../src/input-queue.ts'

t.test('what is reported inside an effect comes after it, and in order', async t => {
  const seen: string[] = []
  const queue = new InputQueue<string>(input => seen.push(input))
  queue.report('at once')
  queue.perform(() => {
    queue.perform(() => queue.report('first'))
    queue.report('second')
    t.same(seen, ['at once'])
  })
  queue.report('third')
  t.same(seen, ['at once'], 'the third does not overtake')
  await Promise.resolve()
  t.same(seen, ['at once', 'first', 'second', 'third'])
  queue.report('fourth')
  t.equal(seen.length, 5)
})

t.test('an effect that is caused by a report is reported later still', async t => {
  const seen: number[] = []
  const queue = new InputQueue<number>(input => {
    seen.push(input)
    if (input < 5) queue.perform(() => queue.report(input + 1))
  })
  queue.perform(() => queue.report(1))
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  t.same(seen, [1, 2, 3, 4, 5])
})

t.test('a queue that is closed reports nothing, not even what waited', async t => {
  const queue = new InputQueue<number>(() => t.fail('reported after close'))
  queue.perform(() => queue.report(1))
  queue.close()
  queue.report(2)
  await Promise.resolve()
  t.pass('nothing came')
})
