/*
 * Whatever viewers do and whatever becomes of what goes up (answered, lost, late, of a session that is sealed or
 * forgotten): no id is told twice, and none is told that was not asked for. When all is well in the end, each id of a
 * viewer that stayed is told, and what was told as counted is in the sums.
 */
import fc from 'fast-check'
import t from 'tap'
import { CrowdRig } from './crowd-rig.ts'
import { doc, viewer } from './edge-log.ts'

t.setTimeout(120_000)

const viewers = [1, 2, 3].map(viewer)

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('add' as const), by: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('answer' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 300, 6_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constantFrom('lose', 'late', 'seal', 'forget' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constantFrom('leave', 'come', 'close' as const),
      by: fc.nat(2),
    }),
  },
)

t.test('each id is told at most once, and in the end each is', async t => {
  const walk = fc.property(fc.array(step, { maxLength: 80 }), fc.nat(2), (steps, wait) => {
    const crowd = new CrowdRig({
      crowdMessagesPerViewerBurst: 1_000,
      crowdIdsPerViewerMax: 1_000,
      lingerMs: 600_000,
    })
    crowd.waitMs = wait * 200
    for (const id of viewers.slice(1)) crowd.come(id)
    const here = new Set(viewers)
    const observing = new Set(viewers)
    const asked = new Map<string, 'waiting' | 'counted' | 'unknown' | 'gone'>()
    const problems: string[] = []
    let counted = 0
    let last = 0
    const listen = () => {
      for (const id of viewers) {
        for (const frame of crowd.rig.got(id)) {
          if (frame.type !== 'counted' && frame.type !== 'unknown') continue
          const key = `${id}/${frame.id}`
          if (asked.get(key) !== 'waiting') problems.push(`${key} ${asked.get(key)} ${frame.type}`)
          asked.set(key, frame.type)
          if (frame.type === 'counted') counted++
        }
      }
    }
    for (const one of steps) {
      const by = 'by' in one ? viewers[one.by] : undefined
      if (one.what === 'add' && by !== undefined && observing.has(by)) {
        asked.set(`${by}/${++last}`, 'waiting')
        crowd.rig.request(by, {
          type: 'add',
          doc,
          reducer: 'cheer',
          value: 'home',
          id: last,
          stamp: undefined,
        })
      } else if (one.what === 'answer') crowd.answer()
      else if (one.what === 'pass') crowd.rig.pass(one.ms)
      else if (one.what === 'lose') crowd.lose()
      else if (one.what === 'late') {
        // The authority counts it, and the edge does not hear of it.
        for (const frame of crowd.said()) crowd.judge(frame)
        crowd.lose()
      } else if (one.what === 'seal') crowd.seal()
      else if (one.what === 'forget') crowd.forget()
      else if (one.what === 'leave' && by !== undefined && observing.delete(by)) {
        crowd.rig.request(by, { type: 'leave', doc })
      } else if (one.what === 'come' && by !== undefined && here.has(by)) {
        if (observing.has(by)) continue
        observing.add(by)
        crowd.rig.observe(by)
      } else if (one.what === 'close' && by !== undefined && here.delete(by)) {
        listen()
        observing.delete(by)
        crowd.rig.take({ kind: 'viewer-closed', viewer: by })
        for (const [key, state] of asked) {
          if (key.startsWith(`${by}/`) && state === 'waiting') asked.set(key, 'gone')
        }
      }
      listen()
    }
    for (let round = 0; round < 20; round++) {
      crowd.rig.pass(6_000)
      crowd.answer()
      listen()
    }
    for (const [key, state] of asked) if (state === 'waiting') problems.push(`${key} never`)
    if ((crowd.counts['home'] ?? 0) < counted) problems.push(`${counted} counted`)
    if ((crowd.counts['home'] ?? 0) > last) problems.push('counted twice')
    if (crowd.rig.edge.crowdIdsWaiting !== 0) problems.push('some wait')
    if (problems.length > 0) throw new Error(problems.join(', '))
  })
  t.doesNotThrow(() => fc.assert(walk, { numRuns: 300 }))
})
