/* Tenants that an authority does not take any more, as its configuration says while it runs. */
import t from 'tap'
import { FollowingWriter, PlacingFleet, Witness } from './placing-fleet.ts'

t.setTimeout(400_000)

const fleet = await PlacingFleet.start(t)
const here = 'authority-1'
const there = 'authority-2'
const [moves = ''] = await fleet.documentsOf(here, 'b', 1)
const [isThere = ''] = await fleet.documentsOf(there, 'b', 1)
const [stays = ''] = await fleet.documentsOf(here, 'a', 1)
const docs = [moves, isThere, stays]
const writers = docs.map(doc => new FollowingWriter(fleet, doc))
for (const writer of writers) await writer.more(3)
const witnesses = await Promise.all(docs.map(doc => Witness.open(fleet, doc)))
const [ofMoves, ofThere, ofStays] = writers as [FollowingWriter, FollowingWriter, FollowingWriter]

/** Nobody was shown anything but each change after the one before. */
async function problems(): Promise<readonly string[]> {
  const found = await Promise.all(
    witnesses.map((witness, index) => witness.problemsAfter(writers[index] ?? ofStays)),
  )
  return found.flat()
}

const logged = (name: typeof here | typeof there | 'edge-1', event: string) =>
  fleet.node(name).log.filter(line => line.event === event)

await t.test('documents of a tenant that is denied go elsewhere, and no others', async t => {
  const before = ofMoves.last.epoch
  fleet.reconfigure(here, 'tenants: { deny: [b] }\n')
  await fleet.untilTold('all know it', moves, ({ owner }) => owner === there)
  for (const writer of writers) await writer.more(10)
  t.match(ofMoves.last, { node: there })
  t.ok(ofMoves.last.epoch > before, 'who took it over has claimed its log')
  // Their epochs may be others: on a slow machine an authority may be in doubt for a moment.
  t.same([...new Set(ofThere.committed.map(({ node }) => node))], [there], 'not who was there')
  t.same([...new Set(ofStays.committed.map(({ node }) => node))], [here], 'nor another tenant')
  t.same(await problems(), [])
  t.match(await fleet.send(fleet.node(here), moves, 0), {
    type: 'moved',
    to: fleet.node(there).url,
  })
  t.match(logged(here, 'config.reloaded'), [{ options: ['tenants.deny'] }])
  t.match(logged('edge-1', 'fleet.member-tenants'), [{ member: here, allow: ['*'], deny: ['b'] }])
})

await t.test('nothing of the tenant can be placed there', async t => {
  const { status, body } = await fleet.order(there, { tenant: 'b', node: here, why: 'x' })
  t.equal(status, 422)
  t.match(body['message'], /authority-1 does not take tenant b, .*; these take it: authority-2/)
})

await t.test('a file that is wrong changes nothing, and what else it says waits', async t => {
  fleet.reconfigure(here, 'tenants: { deny: [\n')
  await fleet.node(here).untilLogged('config.refused')
  fleet.reconfigure(here, 'tenants: { deny: [b] }\nweight: 7\n')
  await fleet.node(here).untilLogged('config.needs-restart')
  t.match(logged(here, 'config.needs-restart'), [{ options: ['weight'] }])
  await fleet.node(here).untilLogged('config.reloaded', 2)
  for (const writer of writers) await writer.more(5)
  t.match([ofMoves.last.node, ofStays.last.node], [there, here])
})

await t.test('a tenant that nobody takes waits, and what is shown of it stays', async t => {
  const { seq } = ofStays.last
  fleet.reconfigure(there, 'tenants: { deny: [b] }\n')
  await fleet.untilTold('nobody takes it', moves, ({ why }) => why === 'nobody')
  t.match(await fleet.send(fleet.node(here), moves, 0), { code: 'FANFOLD_NO_AUTHORITY' })
  t.match(
    (await fleet.told(moves)).problem,
    /no authority takes .*; start one, or change the tenants/,
  )
  await ofStays.more(5)
  t.ok(ofStays.last.seq > seq)
  fleet.reconfigure(here, '')
  await ofMoves.more(5)
  t.equal(ofMoves.last.node, here)
  fleet.reconfigure(there, '')
  await fleet.untilTold('all is as before', isThere, ({ owner }) => owner === there)
  for (const writer of writers) await writer.more(5)
  t.match(
    writers.map(({ last }) => last.node),
    [here, there, here],
  )
  t.same(await problems(), [])
})

await Promise.all(writers.map(writer => writer.stop()))
for (const { viewer } of witnesses) viewer.close()
