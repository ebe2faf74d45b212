import { defaultAuthorityLimits } from '@fanfold/authority'
import { defaultUpstreamLimits } from '@fanfold/replication'
import t from 'tap'
import { authorityLimitsOf, followerLimitsOf } from '../src/node-limits.ts'
import { completeOptions } from '../src/simulation-options.ts'

const options = completeOptions({
  ringRecordsMax: 3,
  snapshotEveryRecords: 7,
  restAfterMs: 100,
  largeStateBytes: 500,
  creditBytes: 600,
})

t.test('an authority has the limits of its world, and the others by default', async t => {
  const { ring, ...limits } = authorityLimitsOf(options)
  t.match(limits, { snapshotEveryRecords: 7, restAfterMs: 100, largeStateBytes: 500 })
  t.same(ring, { ...defaultAuthorityLimits.ring, recordsMax: 3 })
  t.equal(limits.documentsMax, defaultAuthorityLimits.documentsMax)
  t.equal(limits.unloadAfterMs, limits.restAfterMs, 'what rests is soon put away')
})

t.test(
  'nodes below hold as many records as the authority, and ask for as much as is said',
  async t => {
    const { ring, upstream, largeStateBytes } = followerLimitsOf(options)
    t.equal(ring.recordsMax, authorityLimitsOf(options).ring.recordsMax)
    t.same(upstream, { ...defaultUpstreamLimits, creditBytes: 600 })
    t.equal(largeStateBytes, authorityLimitsOf(options).largeStateBytes)
  },
)

t.test('a session is idle after as long as the options say', async t => {
  const options = completeOptions({ sessionIdleMs: 4_000 })
  t.equal(authorityLimitsOf(options).sessionIdleMs, 4_000)
})
