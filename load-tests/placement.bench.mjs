// What it costs to know whose a document is: lookups of 200,000 keys over 3, 10 and 50 authorities, and
// of the owner with who takes over.
import { performance } from 'node:perf_hooks'
import { Rendezvous } from '@fanfold/topology'
import { report } from './report.mjs'

const rounds = Number(process.env.ROUNDS ?? 5)
const keys = Array.from({ length: 200_000 }, (_, index) => `acme/match/2026-final-${index}`)

const candidatesOf = count =>
  Array.from({ length: count }, (_, index) => ({
    name: `authority-${index}`,
    weight: 1 + (index % 3),
  }))

function measure(bench, lookUp, expectation = {}) {
  for (const key of keys) lookUp(key)
  const values = Array.from({ length: rounds }, () => {
    const start = performance.now()
    for (const key of keys) lookUp(key)
    return keys.length / ((performance.now() - start) / 1000)
  })
  report({ bench, unit: 'lookups/s', values, ...expectation })
}

for (const count of [3, 10, 50]) {
  const rendezvous = new Rendezvous(candidatesOf(count))
  const expectation = count === 3 ? { floor: 1_000_000 } : {}
  measure(`placement: owner of ${count}`, key => rendezvous.owner(key), expectation)
}
const three = new Rendezvous(candidatesOf(3))
measure('placement: owner and standby of 3', key => three.owners(key, 2))
