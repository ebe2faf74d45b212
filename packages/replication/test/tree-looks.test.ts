import t from 'tap'
import { doc } from './build-stream.ts'
import { ownStanding, shown, TreeRig, threeTiers } from './tree-rig.ts'

const whole = [
  'authority',
  'proxy-1<authority',
  'tier<proxy-1',
  'edge-2<tier',
  'edge-1<proxy-1',
  'proxy-2<authority',
  'edge-3<proxy-2',
]

/** What the nodes tell, but for the names of who is asked. */
const named = (seen: readonly string[], name: string): string[] =>
  seen.map(text => text.replace(/\bme\b/, name))

await t.test('whoever is asked tells the whole tree', async t => {
  for (const name of ['authority', 'proxy-1', 'tier', 'edge-1', 'edge-2', 'edge-3']) {
    const rig = threeTiers()
    t.same(named(rig.seen(name), 'authority'), whole, name)
    t.equal(rig.left, 0, 'and nothing of it is kept')
  }
})

await t.test('each node is asked once, and tells what it is', async t => {
  const rig = threeTiers()
  rig.standings.set('edge-2', ownStanding({ seq: 5, viewers: 3, lagMs: 40, staleMs: 100 }))
  const look = rig.look('edge-1')
  rig.run(100)
  const { entries = [], at } = rig.told(look) ?? {}
  t.match(
    entries.find(({ node }) => node === 'edge-2'),
    { role: 'edge', region: 'eu', standing: { seq: 5, viewers: 3, lagMs: 40, staleMs: 100 } },
  )
  t.equal(at, 50, 'as soon as all have answered')
  const questions = rig.sent.filter(({ frame }) => frame.kind === 'request-tree')
  t.equal(questions.length, 2 + 6, 'up the tree, and down to each node')
})

await t.test('who does not answer is named, and the others are told in time', async t => {
  const rig = threeTiers()
  rig.mute.add('edge-2')
  t.same(
    named(rig.seen('authority'), 'authority'),
    whole.map(text => (text.startsWith('edge-2') ? `${text}?` : text)),
    'by the node above it, which tells the rest',
  )
  rig.mute.add('tier')
  const look = rig.look('edge-3')
  rig.run(5_000)
  t.same(shown(rig.told(look)?.entries ?? []), [
    'authority',
    'proxy-1<authority',
    'tier<proxy-1?',
    'edge-1<proxy-1',
    'proxy-2<authority',
    'edge-3<proxy-2',
  ])
  rig.run(1_000)
  t.equal(rig.left, 0)
})

await t.test('where links are slow, all that can answer in time do', async t => {
  const rig = threeTiers()
  rig.delayMs = 90
  rig.mute.add('edge-2')
  const seen = rig.seen('authority')
  t.equal(seen.length, 7)
  t.same(
    seen.filter(text => text.includes('?')),
    ['edge-2<tier?'],
  )
})

await t.test('a node that loses its parent while it waits tells what is below it', async t => {
  const rig = threeTiers()
  rig.mute.add('authority')
  const look = rig.look('edge-2')
  rig.run(500)
  t.notOk(rig.told(look))
  rig.disconnect('proxy-1', 'authority')
  rig.run(100)
  t.same(shown(rig.told(look)?.entries ?? []), [
    'proxy-1',
    'tier<proxy-1',
    'edge-2<tier',
    'edge-1<proxy-1',
  ])
})

await t.test('above whom nobody answers at all tells of itself in time', async t => {
  const rig = threeTiers()
  rig.mute.add('authority')
  const look = rig.look('edge-1')
  rig.run(5_000)
  t.same(shown(rig.told(look)?.entries ?? []), ['proxy-1+2'], 'as far up as somebody answered')
  rig.mute.add('proxy-1')
  const alone = rig.look('edge-1')
  rig.run(5_000)
  t.same(shown(rig.told(alone)?.entries ?? []), ['me'])
})

await t.test('who has no parent yet waits for one, and not for long', async t => {
  const rig = new TreeRig()
  rig.add('authority', 'authority')
  rig.add('edge', 'edge')
  rig.searching.add('edge')
  const look = rig.look('edge')
  rig.run(300)
  t.notOk(rig.told(look))
  rig.connect('edge', 'authority')
  rig.run(50)
  t.same(shown(rig.told(look)?.entries ?? []), ['authority', 'edge<authority'])
  rig.disconnect('edge', 'authority')
  const alone = rig.look('edge')
  rig.run(2_100)
  t.same(shown(rig.told(alone)?.entries ?? []), ['me'])
})

await t.test('of a thousand children as many are asked as there is room for', async t => {
  const rig = new TreeRig()
  rig.add('authority', 'authority')
  for (let number = 1; number <= 1_000; number++) rig.add(`edge-${number}`, 'edge', 'authority')
  const seen = rig.seen('authority')
  t.equal(seen.length, 512)
  t.equal(seen[0], 'me+489')
  t.equal(rig.sent.filter(({ frame }) => frame.kind === 'request-tree').length, 511)
})

await t.test('the room for deep trees goes to those who have the most below them', async t => {
  const rig = new TreeRig()
  rig.add('authority', 'authority')
  for (const [region, edges] of [500, 20].entries()) {
    rig.add(`proxy-${region}`, 'proxy', 'authority')
    rig.edgesBelow.set(`proxy-${region}`, edges)
    for (let number = 0; number < edges; number++) {
      rig.add(`edge-${region}-${number}`, 'edge', `proxy-${region}`)
    }
  }
  const seen = rig.seen('edge-1-3')
  t.ok(seen.length > 500 && seen.length <= 512, `${seen.length} are told`)
  const left = seen.filter(text => text.includes('+'))
  t.same(left, ['proxy-0<authority+18'], 'and the rest is counted where it is')
})

await t.test('those who look at the same time, and soon after, are told by one look', async t => {
  const rig = threeTiers()
  const questions = (): number =>
    rig.sent.filter(({ from, frame }) => from === 'authority' && frame.kind === 'request-tree')
      .length
  const looks = ['authority', 'edge-1', 'edge-2', 'edge-3'].map(name => rig.look(name))
  rig.run(100)
  for (const look of looks) t.equal(rig.told(look)?.entries.length, 7)
  t.equal(questions(), 2)
  rig.look('edge-3')
  rig.run(100)
  t.equal(questions(), 2)
  rig.run(250)
  t.equal(rig.seen('edge-3').length, 7)
  t.equal(questions(), 4)
})

await t.test('one link has a few questions under way; to more there is no answer', async t => {
  const rig = threeTiers()
  rig.mute.add('authority')
  const ask = (number: number): void =>
    rig.send('tier', 'proxy-1', {
      kind: 'request-tree',
      number,
      doc,
      isWhole: true,
      withinMs: 2_000,
      entriesMax: 512,
    })
  for (let number = 1; number <= 9; number++) ask(number)
  rig.run(20)
  const answers = rig.sent.filter(({ frame }) => frame.kind === 'tree')
  t.match(answers, [{ from: 'proxy-1', frame: { number: 9, entries: [] } }])
  t.equal(answers.length, 1)
})

await t.test('a node that has many looks under way tells of itself alone', async t => {
  const rig = threeTiers()
  rig.mute.add('edge-1')
  for (let number = 1; number <= 17; number++) {
    rig.send('authority', 'proxy-1', {
      kind: 'request-tree',
      number,
      doc,
      isWhole: false,
      withinMs: 2_000,
      entriesMax: 512,
    })
  }
  rig.run(50)
  const answers = rig.sent.flatMap(({ from, frame }) =>
    from === 'proxy-1' && frame.kind === 'tree' ? [frame] : [],
  )
  t.equal(answers.length, 1)
  t.match(answers[0]?.entries, [{ standing: { notAsked: 2 } }])
  rig.run(5_000)
  t.equal(rig.left, 0)
})

await t.test('only the parent that serves the document is told what is below', async t => {
  const rig = threeTiers()
  rig.connect('tier', 'proxy-2')
  t.same(
    named(rig.seen('authority'), 'authority'),
    whole,
    'the one that is about to be left leaves it out',
  )
})

await t.test('who goes away while it is asked is named', async t => {
  const rig = threeTiers()
  const look = rig.look('authority')
  rig.run(7)
  rig.disconnect('edge-1', 'proxy-1')
  rig.run(100)
  const seen = shown(rig.told(look)?.entries ?? [])
  t.same(
    seen.filter(text => text.includes('?')),
    ['edge-1<proxy-1?'],
  )
})

await t.test('who has less time than others that look is told what there is by then', async t => {
  const rig = threeTiers()
  rig.mute.add('edge-3')
  const [first, second] = [rig.look('authority'), rig.look('edge-1')]
  rig.run(3_600)
  t.notOk(rig.told(second))
  rig.run(30)
  const seen = shown(rig.told(second)?.entries ?? [])
  t.ok(seen.includes('edge-2<tier'))
  t.ok(seen.includes('proxy-2<authority?'), 'which has time left for its edge')
  rig.run(500)
  t.ok(shown(rig.told(first)?.entries ?? []).includes('edge-3<proxy-2?'))
})

await t.test('nothing is sent to who has asked and is gone', async t => {
  const rig = threeTiers()
  rig.look('edge-3')
  rig.run(7)
  rig.disconnect('edge-3', 'proxy-2')
  rig.run(5_500)
  t.equal(rig.left, 0)
})

await t.test('a chain that is too long for the time is told as far as it goes', async t => {
  const rig = new TreeRig()
  rig.add('authority', 'authority')
  for (let number = 1; number <= 30; number++) {
    rig.add(`proxy-${number}`, 'proxy', number === 1 ? 'authority' : `proxy-${number - 1}`)
  }
  const seen = rig.seen('authority')
  t.equal(seen.length, 20, 'each hop has 200 ms less')
  t.equal(seen.at(-1), 'proxy-19<proxy-18+1')
})

await t.test('nodes that believe each other above them do not ask for ever', async t => {
  const rig = new TreeRig()
  rig.add('proxy-1', 'proxy')
  rig.add('proxy-2', 'proxy', 'proxy-1')
  rig.connect('proxy-1', 'proxy-2')
  t.ok(rig.seen('proxy-1').length > 0)
  t.ok(rig.sent.length < 60, `${rig.sent.length} frames`)
  t.equal(rig.left, 0)
})

await t.test('what a child makes up of others is taken for no answer', async t => {
  const entry = { above: undefined, role: 'edge', node: '', region: '' } as const
  const lies = [
    // No token makes it a proxy.
    [{ ...entry, role: 'proxy' as const, standing: undefined }],
    // Nobody has this name.
    [
      { ...entry, standing: undefined },
      { ...entry, above: 0, standing: undefined },
    ],
  ]
  for (const entries of lies) {
    const rig = threeTiers()
    rig.mute.add('edge-3')
    const look = rig.look('proxy-2')
    rig.run(30)
    const asked = rig.sent.flatMap(({ frame }) => (frame.kind === 'request-tree' ? [frame] : []))
    t.equal(
      asked.some(({ isWhole }) => !isWhole),
      true,
    )
    for (let number = 1; number <= 4; number++) {
      rig.send('edge-3', 'proxy-2', { kind: 'tree', number, entries })
    }
    rig.run(50)
    t.ok(shown(rig.told(look)?.entries ?? []).includes('edge-3<proxy-2?'))
  }
})

await t.test(
  'more than it was asked for, or under another name, a child tells in vain',
  async t => {
    const rig = threeTiers()
    rig.mute.add('edge-3')
    const look = rig.look('proxy-2')
    rig.run(30)
    const own = {
      above: undefined,
      role: 'edge',
      node: 'authority',
      region: 'us',
      standing: undefined,
    } as const
    const more = { ...own, above: 0, node: 'made-up' }
    for (let number = 1; number <= 4; number++) {
      rig.send('edge-3', 'proxy-2', { kind: 'tree', number, entries: [own, more] })
    }
    rig.run(50)
    const below = rig.told(look)?.entries.filter(({ node }) => /edge-3|made-up/.test(node))
    t.match(below, [{ node: 'edge-3', region: 'eu' }])
    t.equal(below?.length, 1, 'an edge fills one entry')
  },
)

await t.test('answers that nobody waits for are no matter', async t => {
  const rig = threeTiers()
  rig.send('edge-3', 'proxy-2', { kind: 'tree', number: 1, entries: [] })
  rig.run(10)
  t.equal(rig.left, 0)
})
