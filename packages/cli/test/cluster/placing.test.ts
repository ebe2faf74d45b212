/* Documents that an operator places on another authority while they are written and watched. */
import { until } from '@fanfold/nemesis'
import t from 'tap'
import { FollowingWriter, type NodeName, PlacingFleet, Witness } from './placing-fleet.ts'

t.setTimeout(400_000)

const fleet = await PlacingFleet.start(t)
const here = 'authority-1'
const there = 'authority-2'
/** Both belong to the same authority at first; one of them is placed on the other one. */
const [moved = '', stays = ''] = await fleet.documentsOf(here, 'a', 2)
const writers = [new FollowingWriter(fleet, moved), new FollowingWriter(fleet, stays)] as const
const [ofMoved, ofStays] = writers
for (const writer of writers) await writer.more(3)
let witnesses = await Promise.all([moved, moved, stays].map(doc => Witness.open(fleet, doc)))

/** Nobody was shown anything but each change after the one before. */
const problems = async (): Promise<readonly string[]> => {
  const found = await Promise.all(
    witnesses.map(witness =>
      witness.problemsAfter(witness.viewer.doc === moved ? ofMoved : ofStays),
    ),
  )
  return found.flat()
}

await t.test('a document is placed while it is written, and nobody misses a change', async t => {
  const before = ofMoved.last
  t.equal(before.node, here)
  const { code, output, errors } = await fleet.place(
    moved,
    there,
    '--why',
    'nearer',
    '--who',
    'ada',
  )
  t.equal(code, 0, errors)
  t.match(
    errors,
    new RegExp(`now +${here} \\(rendezvous\\)\\n +then +${there}\\n +by +ada: nearer`),
  )
  t.match(output, new RegExp(`^${moved} is served by ${there} \\(placement\\) after \\d+ ms`))
  t.match(await fleet.send(fleet.node(here), moved, 0), {
    type: 'moved',
    to: fleet.node(there).url,
  })
  for (const writer of writers) await writer.more(20)
  t.match(ofMoved.last, { node: there })
  t.ok(ofMoved.last.epoch > before.epoch, 'who took it over has claimed its log')
  // Its epoch may be another: on a slow machine an authority may be in doubt for a moment.
  t.same([...new Set(ofStays.committed.map(({ node }) => node))], [here], 'not the other one')
  t.same(await problems(), [])
})

await t.test('who asked, and why, is in the log, and that it took effect at each node', async t => {
  const said = { subject: moved, to: there, version: 1, who: 'ada', why: 'nearer' }
  for (const node of fleet.all) {
    await node.untilLogged('fleet.placed')
    t.match(
      node.log.filter(({ event }) => event === 'fleet.placed'),
      [said],
      node.name,
    )
    const asked = node.log.filter(({ event }) => event === 'fleet.place-asked')
    t.equal(asked.length, node.name === 'edge-1' ? 1 : 0, node.name)
  }
})

await t.test('of two operators at once one wins, and the other is told by whom', async t => {
  const order = { doc: moved, expectedVersion: 1, why: 'mine' }
  const both = await Promise.all([
    fleet.order('edge-1', { ...order, node: here, who: 'ada' }),
    fleet.order('proxy-1', { ...order, node: there, who: 'bob' }),
  ])
  const won = both.find(({ status }) => status === 200)
  const lost = both.find(({ status }) => status === 409)
  const { placed } = (won?.body ?? {}) as { placed?: { who: string; node: string } }
  t.match(placed, { version: 2 })
  t.match(lost?.body, {
    code: 'FANFOLD_PLACEMENT_CONFLICT',
    message: new RegExp(`is at version 2, not 1: ${placed?.who} has placed it on ${placed?.node}`),
  })
  const again = await fleet.place(moved, there, '--why', 'decided', '--who', 'ada')
  t.equal(again.code, 0, again.errors)
  await ofMoved.more(5)
  t.equal(ofMoved.last.node, there)
  t.same(await problems(), [])
})

await t.test('what cannot be is refused, and leaves nothing behind', async t => {
  const { version } = await fleet.told(moved)
  const order = { doc: moved, why: 'x' }
  for (const [node, reason] of [
    ['authority-9', /no node of the fleet that is alive is authority-9; these take it: auth/],
    ['edge-1', /edge-1 is no authority but edge/],
  ] as const) {
    const { status, body } = await fleet.order('proxy-1', { ...order, node })
    t.match([status, body], [422, { code: 'FANFOLD_PLACED_NODE', message: reason }])
  }
  const { code, errors } = await fleet.place(moved, 'authority-9', '--why', 'x', '--who', 'ada')
  t.equal(code, 1)
  t.match(errors, /authority-9.*\[FANFOLD_PLACED_NODE\]/)
  t.equal((await fleet.told(moved)).version, version)
})

await t.test('while the place to meet is away all that is placed holds', async t => {
  const before = await fleet.told(moved)
  await fleet.meeting.kill()
  await until('that is known', async () => (await fleet.told(moved)).isFrozen)
  t.match(await fleet.told(moved), { owner: there, version: before.version, why: 'placement' })
  const { code, errors } = await fleet.place(moved, here, '--why', 'x', '--who', 'ada')
  t.equal(code, 3)
  t.match(errors, /all that is placed holds.*\[FANFOLD_COORDINATOR_UNREACHABLE\]/)
  await fleet.meeting.restart()
  for (const writer of writers) await writer.more(5)
  t.match(ofMoved.last, { node: there })
  t.same(await problems(), [])
})

await t.test('a place to meet that was emptied is given back what was placed', async t => {
  const { version } = await fleet.told(moved)
  const nodes = writers.map(({ last }) => last.node)
  await fleet.meeting.client.flushall()
  const kept = async (): Promise<string> =>
    (await fleet.meeting.client.hget('fanfold:{members}:placed', moved)) ?? ''
  await until('it is given back', async () => (await kept()).startsWith(`${version} `))
  for (const writer of writers) await writer.more(5)
  t.same(
    writers.map(({ last }) => last.node),
    nodes,
    'nobody has noticed',
  )
  t.same(await problems(), [])
})

await t.test('a placement outlives every node', async t => {
  const { version } = await fleet.told(moved)
  await Promise.all(fleet.all.map(node => node.stop()))
  await fleet.startAll()
  await fleet.untilTold('it is placed as before', moved, told => told.owner === there)
  t.equal((await fleet.told(moved, 'proxy-1')).version, version)
  t.match(
    fleet.node('proxy-1').log.filter(({ event }) => event === 'fleet.placements'),
    [{ count: 1 }],
  )
  for (const writer of writers) await writer.more(5)
  t.equal(ofMoved.last.node, there)
  t.equal(ofStays.last.node, here)
  witnesses = await Promise.all([moved, moved, stays].map(doc => Witness.open(fleet, doc)))
  t.same(await problems(), [])
})

await t.test('while the node is down another one stands in, and that is told', async t => {
  await fleet.node(there).kill()
  await ofMoved.more(5)
  t.equal(ofMoved.last.node, here)
  await fleet.untilTold('it is missed', moved, ({ why }) => why === 'placed-node-down')
  t.match(
    (await fleet.told(moved)).problem,
    new RegExp(`${there}, which is not alive; ${here} serv`),
  )
  await fleet.node('edge-1').untilLogged('fleet.placed-node-away')
  await fleet.startNode(there as NodeName)
  await until('it is back', () => ofMoved.last.node === there)
  await fleet.node('edge-1').untilLogged('fleet.placed-node-back')
  await ofMoved.more(5)
  t.same(await problems(), [])
})

await t.test('a placement is released', async t => {
  const { epoch } = ofMoved.last
  const { code, output, errors } = await fleet.place(moved, '--release', '--why', 'over')
  t.equal(code, 0, errors)
  t.match(output, new RegExp(`is served by ${here} \\(rendezvous\\)`))
  for (const writer of writers) await writer.more(5)
  t.match(ofMoved.last, { node: here })
  t.ok(ofMoved.last.epoch > epoch)
  t.match(ofStays.last, { node: here })
  t.same(await problems(), [])
  const listed = await fleet.place('--list')
  t.match(listed.output, new RegExp(`^${moved} +\\(released\\) +version \\d+ `))
})

await Promise.all(writers.map(writer => writer.stop()))
for (const { viewer } of witnesses) viewer.close()
