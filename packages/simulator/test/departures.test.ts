import { instant } from '@fanfold/kernel'
import t from 'tap'
import { Departures } from '../src/departures.ts'

t.test('who was stopped may be silent, and for a while after', async t => {
  const departures = new Departures([
    { kind: 'pause', node: 'proxy-0', atMs: 1_000, forMs: 6_000 },
    { kind: 'cut', from: 'proxy-1', to: '*', atMs: 0, forMs: 9_000 },
  ])
  t.notOk(departures.mayBeSilent('proxy-0', instant(999_000)))
  t.ok(departures.mayBeSilent('proxy-0', instant(6_000_000)))
  t.ok(departures.mayBeSilent('proxy-0', instant(15_000_000)))
  t.notOk(departures.mayBeSilent('proxy-0', instant(15_000_001)))
  t.notOk(departures.mayBeSilent('proxy-1', instant(6_000_000)), 'links are no announcements')
})

t.test('where nobody can meet, nobody may be given up', async t => {
  const away = { kind: 'coordinator-away', atMs: 0, forMs: 9_000 } as const
  const departures = new Departures([
    { ...away, node: '*' },
    { ...away, node: 'edge-0' },
  ])
  t.notOk(departures.mayBeSilent('proxy-0', instant(6_000_000)))
  t.ok(departures.mayBeSilent('edge-0', instant(6_000_000)))
})
