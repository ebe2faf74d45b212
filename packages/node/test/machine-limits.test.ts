import { defaultTransferLimits } from '@fanfold/replication'
import t from 'tap'
import { authorityLimits, edgeLimits, proxyLimits } from '../src/machine-limits.ts'
import { load, problemsOf } from './load-config.ts'

t.test('bounds that the configuration has for every role reach every role', async t => {
  const { config } = await load(t, {
    environment: {
      FANFOLD_LIMITS__ASSEMBLIES_MAX: '7',
      FANFOLD_LIMITS__ASSEMBLY_BYTES_MAX: '200000000',
      FANFOLD_LIMITS__REPLAYS_MAX: '9',
      FANFOLD_LIMITS__LARGE_STATE_BYTES: '5000',
      FANFOLD_LIMITS__LARGE_VIEWS_BYTES_MAX: '2000000',
    },
  })
  const assembly = { countMax: 7, bytesMax: 200_000_000 }
  t.match(proxyLimits(config), { assembly, replaysMax: 9, follower: { largeStateBytes: 5_000 } })
  t.match(edgeLimits(config), {
    assembly,
    follower: { largeStateBytes: 5_000 },
    largeViewsBytesMax: 2_000_000,
  })
  t.match(authorityLimits(config), { replaysMax: 9, largeStateBytes: 5_000 })
})

t.test('what of snapshots may be under way reaches those who send them', async t => {
  const environment = { FANFOLD_LIMITS__SNAPSHOT_BYTES_UNDER_WAY_MAX: '4MiB' }
  const { config } = await load(t, { environment })
  const transfer = { ...defaultTransferLimits, bytesUnderWayMax: 4_194_304 }
  t.same(proxyLimits(config).transfer, transfer)
  t.same(authorityLimits(config).transfer, transfer)
})

t.test('where nothing is said, it is as the roles have it by default', async t => {
  const { config } = await load(t, {})
  t.same(proxyLimits(config).transfer, defaultTransferLimits)
  t.same(authorityLimits(config).transfer, defaultTransferLimits)
})

t.test('what is less than four times what a child confirms is refused', async t => {
  const environment = { FANFOLD_LIMITS__SNAPSHOT_BYTES_UNDER_WAY_MAX: '255KiB' }
  t.match(await problemsOf(load(t, { environment })), [
    { message: /snapshotBytesUnderWayMax|SNAPSHOT_BYTES_UNDER_WAY_MAX/ },
  ])
})
