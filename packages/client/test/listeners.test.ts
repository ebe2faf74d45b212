import t from 'tap'
import { Listeners } from '../src/listeners.ts'

t.test('calls each listener until it is removed', t => {
  const listeners = new Listeners<[value: number]>()
  const heard: string[] = []
  const first = listeners.add(value => heard.push(`a${value}`))
  listeners.add(value => heard.push(`b${value}`))
  listeners.call(1)
  first()
  first()
  listeners.call(2)
  t.same(heard, ['a1', 'b1', 'b2'])
  t.end()
})

t.test('a listener that is removed while others are called is not called', t => {
  const listeners = new Listeners<[]>()
  const heard: string[] = []
  listeners.add(() => stop())
  const stop = listeners.add(() => heard.push('second'))
  listeners.call()
  t.same(heard, [])
  t.end()
})

t.test('one that throws keeps none from being called, and its error is not lost', t => {
  const listeners = new Listeners<[]>()
  const heard: string[] = []
  listeners.add(() => {
    throw new Error('mine')
  })
  listeners.add(() => heard.push('second'))
  const tasks: (() => void)[] = []
  const { queueMicrotask } = globalThis
  globalThis.queueMicrotask = task => {
    tasks.push(task)
  }
  t.teardown(() => {
    globalThis.queueMicrotask = queueMicrotask
  })
  listeners.call()
  t.same(heard, ['second'])
  t.throws(() => tasks[0]?.(), { message: 'mine' })
  t.end()
})
