import t from 'tap'
import { edgeFlags } from '../src/edge-flags.ts'

t.test('a worker keeps little room for what is new, and the flags it was given', async t => {
  const flags = ['--enable-source-maps']
  t.same(edgeFlags({ flags, options: undefined }), [...flags, '--max-semi-space-size=4'])
  t.same(edgeFlags({ flags: [], options: '--max-old-space-size=900' }), ['--max-semi-space-size=4'])
})

t.test('what the operator says of that room holds', async t => {
  for (const flag of ['--max-semi-space-size=32', '--max_semi_space_size=32']) {
    t.same(edgeFlags({ flags: [flag], options: undefined }), [flag])
    t.same(edgeFlags({ flags: [], options: `--trace-warnings ${flag}` }), [])
  }
})
