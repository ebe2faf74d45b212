import { sha256 } from '@fanfold/conformance'
import { instant } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { NodeGauges } from '../src/node-gauges.ts'
import { Problems } from '../src/problems.ts'
import { completeOptions } from '../src/simulation-options.ts'
import { World } from '../src/world.ts'

/** A world in which one viewer's edge holds a document, and gauges that say how many may be. */
function makeGauges(documents: number) {
  const options = completeOptions({ proxies: 1, edges: 1, documents: 1 })
  const world = new World('gauges', options, sha256)
  const problems = new Problems(world.clock)
  const gauges = new NodeGauges({
    nodes: { ...world.nodes },
    options: { ...options, documents },
    problems,
  })
  const [door] = world.doors
  const connection = door?.rim.connect(
    {
      opened: () => undefined,
      received: () => undefined,
      closed: () => undefined,
      unauthorized: () => undefined,
      lost: () => undefined,
    },
    { delayMin: 1_000, delayMean: 0, bytesPerSecond: 1_000_000 } as never,
    {
      subject: 's0',
      tenant: undefined,
      documents: ['**'],
      allow: ['observe'],
      expiresAtMs: undefined,
      claims: {},
    },
  )
  const pass = (ms: number) => world.clock.runUntil(instant(world.clock.now + ms * 1_000))
  const doc = parseDocumentKey('acme/board/0')
  connection?.send(JSON.stringify({ type: 'observe', doc }))
  pass(200)
  return { gauges, problems, connection, pass }
}

t.test('nodes that hold what they may are no problem', async t => {
  const { gauges, problems } = makeGauges(1)
  gauges.look()
  t.same(problems.messages, [])
})

t.test('a node that holds more than it may is one', async t => {
  const { gauges, problems } = makeGauges(0)
  gauges.look()
  t.ok(problems.messages.some(message => /1 documents at edge-0, at most 0/.test(message)))
})

t.test('what is held after all have left is said', async t => {
  const { gauges, connection, pass } = makeGauges(1)
  t.match(gauges.leftovers().join(), /1 documents at edge-0.*1 connections at edge-0/)
  connection?.close()
  pass(20_000)
  t.same(gauges.leftovers(), [])
  t.same(gauges.waiting(), [])
})
