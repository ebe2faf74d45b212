import t from 'tap'
import { keepMemorySmall, runningFlags, workerFlags } from '../src/edge-flags.ts'

const own = ['--max-semi-space-size=1', '--heap-growing-percent=10']

t.test('a worker keeps its memory small, and the flags it was given', async t => {
  const flags = ['--enable-source-maps']
  t.same(workerFlags({ flags, options: undefined }), [...flags, ...own])
  t.same(workerFlags({ flags: [], options: '--max-old-space-size=900' }), own)
})

t.test('what the operator says of memory holds', async t => {
  const [room, growing] = own
  for (const flag of ['--max-semi-space-size=32', '--max_semi_space_size=32']) {
    t.same(workerFlags({ flags: [flag], options: undefined }), [flag, growing])
    t.same(workerFlags({ flags: [], options: `--trace-warnings ${flag}` }), [growing])
  }
  const flag = '--heap_growing_percent=100'
  t.same(workerFlags({ flags: [flag], options: undefined }), [flag, room])
  t.same(runningFlags({ flags: [flag], options: undefined }), [])
})

t.test('a process that runs already is told what can be told then', async t => {
  t.same(runningFlags({ flags: [], options: undefined }), ['--heap-growing-percent=10'])
  t.doesNotThrow(keepMemorySmall)
})
