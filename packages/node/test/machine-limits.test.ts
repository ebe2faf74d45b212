import t from 'tap'
import { authorityLimits, edgeLimits, proxyLimits } from '../src/machine-limits.ts'
import { load } from './load-config.ts'

t.test('bounds that the configuration has for every role reach every role', async t => {
  const { config } = await load(t, {
    environment: {
      FANFOLD_LIMITS__ASSEMBLIES_MAX: '7',
      FANFOLD_LIMITS__ASSEMBLY_BYTES_MAX: '200000000',
      FANFOLD_LIMITS__REPLAYS_MAX: '9',
      FANFOLD_LIMITS__LARGE_STATE_BYTES: '5000',
    },
  })
  const assembly = { countMax: 7, bytesMax: 200_000_000 }
  t.match(proxyLimits(config), { assembly, replaysMax: 9, follower: { largeStateBytes: 5_000 } })
  t.match(edgeLimits(config), { assembly, follower: { largeStateBytes: 5_000 } })
  t.match(authorityLimits(config), { replaysMax: 9, largeStateBytes: 5_000 })
})
