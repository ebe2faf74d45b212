import t from 'tap'
import { DiskHealth } from '../src/disk-health.ts'
import type { DiskFault } from '../src/node-fault.ts'

const lasting = { node: 'authority', atMs: 0, forMs: 10 }

t.test('a disk is as ill as the faults that are on make it', async t => {
  const health = new DiskHealth()
  const full: DiskFault = { kind: 'disk-full', ...lasting }
  const again: DiskFault = { kind: 'disk-full', ...lasting }
  health.begin(full)
  health.begin(again)
  health.end(full)
  t.ok(health.isFull)
  t.notOk(health.isBroken || health.isOutOfFiles)
  health.end(again)
  t.notOk(health.isFull)
  health.begin({ kind: 'no-files', ...lasting })
  t.ok(health.isOutOfFiles)
  health.begin({ kind: 'disk-unreadable', ...lasting })
  t.ok(health.isUnreadable)
  health.begin({ kind: 'disk-broken', ...lasting })
  t.ok(health.isBroken)
})

t.test('what makes it slow adds up', async t => {
  const health = new DiskHealth()
  const slow: DiskFault = { kind: 'disk-slow', byMs: 5, ...lasting }
  health.begin(slow)
  health.begin({ kind: 'disk-slow', byMs: 7, ...lasting })
  t.equal(health.slowMs, 12)
  health.end(slow)
  t.equal(health.slowMs, 7)
})
