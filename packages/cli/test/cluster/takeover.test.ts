/* An authority is killed while it writes: the others learn it by their links, and one goes on at once. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { RedisServer, until } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { Cluster, type NodeSettings } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { runFanfold } from './fanfold-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { type Answer, Writer } from './writer.ts'

t.setTimeout(400_000)

const doc = 'a/timing/shared'
/** Messages that are acknowledged before the authority is killed, and after. */
const stretch = 40
/** Every message has a topic of its own: each is seen in the state. */
const merge = (number: number) => ({
  message: 'merge',
  value: { topic: `t${number}`, delta: number },
})
const idOf = (number: number): string => `message-${number}`

/** Sends one message after the other with ids, each until it is taken, by whoever has the document. */
class SteadyWriter {
  /** What each message was answered, by its number. */
  readonly answers: Answer[] = []
  readonly #nodes: readonly ClusterNode[]
  readonly #token: string
  #isOver = false
  readonly #done: Promise<void>

  constructor(nodes: readonly ClusterNode[], token: string) {
    this.#nodes = nodes
    this.#token = token
    this.#done = this.#run()
  }

  async until(count: number): Promise<void> {
    await until(`${count} messages are taken`, () => this.answers.length >= count)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#done
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const node = this.#nodes[turn % this.#nodes.length]
      await nextTurn()
      if (node?.isRunning !== true) continue
      const writer = await Writer.open({ url: node.url, token: this.#token }).catch(() => undefined)
      while (writer !== undefined && !this.#isOver) {
        const number = this.answers.length
        const answer = await writer.send(doc, merge(number), idOf(number)).catch(() => undefined)
        if (answer?.type !== 'committed') break
        this.answers.push(answer)
      }
      writer?.close()
    }
  }
}

/** Two authorities and an edge, and a viewer of a document that one of the two has. */
async function grow(t: Test, options: NodeSettings['options'] = {}) {
  const redis = await RedisServer.start(t, { isDurable: true })
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const meet = { 'redis.url': redis.address }
  const start = (name: string): Promise<ClusterNode> =>
    cluster.start({
      name,
      roles: ['authority'],
      options: { ...meet, log: redis.address, ...options },
    })
  const authorities = await Promise.all(['authority-1', 'authority-2'].map(start))
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], options: meet })
  await Promise.all(authorities.map(node => node.untilLogged('link.peer-connected')))
  const writer = new SteadyWriter(authorities, token)
  t.teardown(() => writer.stop())
  await writer.until(1)
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  const owner = await ownerOf(authorities)
  const heir = authorities.find(node => node !== owner)
  if (heir === undefined) throw new Error('there are two authorities')
  return { token, owner, heir, writer, viewer }
}

async function ownerOf([first, second]: readonly ClusterNode[]): Promise<ClusterNode> {
  if (first === undefined || second === undefined) throw new Error('there are two authorities')
  const answer = await fetch(`${first.adminUrl}/admin/topology?doc=${encodeURIComponent(doc)}`)
  const { document } = (await answer.json()) as { readonly document: { readonly owner: string } }
  return document.owner === first.name ? first : second
}

/** What was acknowledged was done once, and is known: before the takeover and after it. */
async function judge(
  t: Test,
  { token, heir, writer, viewer }: Awaited<ReturnType<typeof grow>>,
): Promise<void> {
  await writer.stop()
  const { answers } = writer
  const seqs = new Set(answers.map(({ seq }) => seq))
  t.equal(seqs.size, answers.length, 'each message has a record of its own')
  const again = await Writer.open({ url: heir.url, token })
  for (const [number, { epoch, seq }] of answers.entries()) {
    const answer = await again.send(doc, merge(number), idOf(number))
    t.match(answer, { type: 'committed', epoch, seq }, `${idOf(number)} is known`)
  }
  await viewer.untilSeq(Math.max(...answers.map(({ seq = 0 }) => seq)))
  t.same(viewer.state, Object.fromEntries(answers.map((_, number) => [`t${number}`, number])))
  t.same(viewer.problems, [])
}

await t.test('an authority that is killed is missed by its links, not by its silence', async t => {
  const fleet = await grow(t)
  const { owner, heir, writer } = fleet
  await writer.until(stretch)
  await owner.kill()
  const before = writer.answers.length
  await writer.until(before + stretch)
  await judge(t, fleet)
  const [lost, ...later] = heir.log.filter(({ event }) =>
    event?.match(/^(fleet\.member-left|link\.peer-lost)$/),
  )
  t.match(lost, { event: 'link.peer-lost', peer: owner.name })
  // The next attempt to connect may be refused before that is heard, and told as well.
  t.match(
    later.filter(({ event }) => event === 'fleet.member-left'),
    [{ event: 'fleet.member-left', member: owner.name, why: 'refused' }],
  )
  t.ok((writer.answers.at(-1)?.epoch ?? 0) > 1, 'another one has claimed the log')
})

/** What a metric without labels of the node is at. */
async function metricOf({ adminUrl }: ClusterNode, name: string): Promise<number> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
  return Number(new RegExp(`^fanfold_${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(metrics)?.[1])
}

await t.test('a hot standby has the document in memory when its authority is killed', async t => {
  const fleet = await grow(t, { hotStandby: 'true' })
  const { owner, heir, writer } = fleet
  await until('the other one follows the document', async () => {
    return (await metricOf(heir, 'standby_documents')) === 1
  })
  t.equal(await metricOf(owner, 'standby_documents'), 0, 'nobody follows what is its own')
  await writer.until(stretch)
  const shown = await runFanfold(['tree', doc], { FANFOLD_ADMIN_URL: owner.adminUrl })
  t.match(shown.output, `${owner.name} (rendezvous), then ${heir.name}, which stands by`)
  await owner.kill()
  const before = writer.answers.length
  await writer.until(before + stretch)
  await judge(t, fleet)
  const events = heir.log.filter(({ event }) => event?.match(/^(fleet\.member-left|standby\..*)$/))
  t.match(events, [
    { event: 'fleet.member-left', member: owner.name, why: 'refused' },
    { event: 'standby.took-over', doc },
  ])
  t.ok(Number(events[1]?.['seq']) > 1, `it had followed up to seq ${events[1]?.['seq']}`)
  t.equal(await metricOf(heir, 'standby_takeovers_total'), 1)
  t.equal(await metricOf(heir, 'standby_documents'), 0)
  t.ok((writer.answers.at(-1)?.epoch ?? 0) > 1, 'it has claimed the log')
})
