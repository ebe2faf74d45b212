import t from 'tap'
import { DescriptorWatch, tryDescriptor } from '../src/descriptor-watch.ts'

const systemError = (code: string): Error => Object.assign(new Error(code), { code })

t.test('a process that can open a file has descriptors', async t => {
  await t.resolves(tryDescriptor())
})

t.test('each attempt is told of, but for errors that say nothing of descriptors', async t => {
  const outcomes: (Error | undefined)[] = [
    undefined,
    systemError('EMFILE'),
    systemError('EACCES'),
    systemError('ENFILE'),
    undefined,
  ]
  const found: unknown[] = []
  const watch = new DescriptorWatch({
    found: (isFound, reason) => found.push([isFound, reason]),
    tryOne: async () => {
      const error = outcomes.shift()
      if (error !== undefined) throw error
    },
  })
  t.teardown(() => watch.close())
  while (outcomes.length > 0) await watch.look()
  t.same(found, [
    [true, ''],
    [false, 'EMFILE'],
    [false, 'ENFILE'],
    [true, ''],
  ])
})

t.test('one attempt is under way at a time', async t => {
  let attempts = 0
  let goOn = (): void => undefined
  const watch = new DescriptorWatch({
    found: () => undefined,
    tryOne: () => {
      attempts++
      return new Promise(resolve => {
        goOn = resolve
      })
    },
  })
  t.teardown(() => watch.close())
  const first = watch.look()
  await watch.look()
  t.equal(attempts, 1)
  goOn()
  await first
})
