import type { DocumentKey, RequestId, WriteAnswer, WriterInput } from '@fanfold/protocol'
import { UpgradeRouter, WriterSockets, writeLimitsDefault } from '@fanfold/websocket'
import t, { type Test } from 'tap'
import { grants, TestClient, turns, until } from './client-rig.ts'
import { listen } from './http-server.ts'
import { ManualClock } from './manual-clock.ts'

type Rig = {
  readonly writers: WriterSockets
  readonly inputs: WriterInput[]
  readonly open: (token?: string) => Promise<TestClient>
  readonly answer: (input: WriterInput | undefined, answer: WriteAnswer) => void
}

async function rig(
  t: Test,
  overrides: {
    readonly writesInFlightMax?: number
    readonly ownerOf?: (doc: DocumentKey) => string | undefined
  } = {},
): Promise<Rig> {
  const inputs: WriterInput[] = []
  let requests = 0
  const writers = new WriterSockets({
    verifyToken: async token =>
      grants({ subject: token, allow: token === 'creator' ? ['write', 'create'] : ['write'] }),
    nextRequest: () => ++requests as RequestId,
    ownerOf: overrides.ownerOf ?? (() => undefined),
    report: input => inputs.push(input),
    limits: writeLimitsDefault,
    writesInFlightMax: overrides.writesInFlightMax ?? 100,
    clock: new ManualClock(),
  })
  t.teardown(() => writers.close())
  const router = new UpgradeRouter({ origins: [], connectionsMax: 100 })
  router.add('', { write: writers })
  const { port } = await listen(t, router)
  return {
    writers,
    inputs,
    open: async (token = 'ann') => {
      const client = new TestClient(t, `ws://127.0.0.1:${port}/v1/write`, { token })
      await until(() => client.isOpen)
      return client
    },
    answer: (input, answer) => {
      const request = input?.request ?? (-1 as RequestId)
      writers.perform({ kind: 'write-answered', request, answer })
    },
  }
}

const goal = (id?: string, doc = 'acme/match/final') => ({
  type: 'send',
  doc,
  message: 'goal',
  value: { team: 'home' },
  ...(id === undefined ? {} : { id }),
})

t.test('a message becomes a write with who sent it and when, under no trace', async t => {
  const { open, inputs } = await rig(t)
  const client = await open('creator')
  client.send(goal('c1-1'))
  await until(() => inputs.length === 1)
  t.match(inputs, [
    {
      kind: 'write',
      doc: 'acme/match/final',
      action: { type: 'send', message: 'goal', value: { team: 'home' } },
      id: 'c1-1',
      subject: 'creator',
      mayCreate: true,
      timeMs: 1_800_000_000_000,
    },
  ])
  t.equal(inputs[0]?.trace, undefined)
})

t.test('answers carry the id and document of their request, in the order of deciding', async t => {
  const { open, inputs, answer, writers } = await rig(t)
  const client = await open()
  client.send(goal('one'))
  client.send(goal())
  await until(() => inputs.length === 2)
  t.equal(writers.stats().writesInFlight, 2)
  answer(inputs[1], { kind: 'rejected', code: 'FANFOLD_BUSY', message: 'later' })
  answer(inputs[0], { kind: 'committed', epoch: 3, seq: 121 })
  answer(inputs[0], { kind: 'committed', epoch: 3, seq: 122 })
  await until(() => client.frames.length === 2)
  t.same(client.frames, [
    { type: 'rejected', doc: 'acme/match/final', code: 'FANFOLD_BUSY', message: 'later' },
    { type: 'committed', doc: 'acme/match/final', id: 'one', epoch: 3, seq: 121 },
  ])
  t.match(writers.stats(), { writesInFlight: 0, committed: 1, rejected: 1 })
})

t.test('a write the token does not allow is rejected at the door', async t => {
  const { open, inputs } = await rig(t)
  const client = await open()
  client.send(goal('x', 'other/match/final'))
  await until(() => client.frames.length === 1)
  t.match(client.frames, [{ type: 'rejected', id: 'x', code: 'FANFOLD_FORBIDDEN' }])
  t.same(inputs, [])
})

t.test('a document another node owns is answered with where', async t => {
  const { open, inputs } = await rig(t, { ownerOf: () => 'wss://owner.example.com' })
  const client = await open()
  client.send(goal('x'))
  await until(() => client.frames.length === 1)
  t.match(client.frames, [{ type: 'moved', id: 'x', to: 'wss://owner.example.com' }])
  t.same(inputs, [])
})

t.test('a writer with as many writes in flight as it may have is not read from', async t => {
  const { open, inputs, answer } = await rig(t, { writesInFlightMax: 4 })
  const client = await open()
  for (let index = 0; index < 10; index++) client.send(goal(`id-${index}`))
  await until(() => inputs.length === 4)
  await turns()
  t.equal(inputs.length, 4)
  answer(inputs[0], { kind: 'committed', epoch: 1, seq: 1 })
  await until(() => inputs.length === 5)
  await turns()
  t.equal(inputs.length, 5)
  for (let index = 1; index < 10; index++) {
    await until(() => inputs.length > index)
    answer(inputs[index], { kind: 'committed', epoch: 1, seq: index + 1 })
  }
  await until(() => client.frames.length === 10)
  t.same(
    client.frames.map(frame => frame['id']),
    Array.from({ length: 10 }, (_, index) => `id-${index}`),
  )
})

t.test('an answer for a writer that has gone is counted and lost', async t => {
  const { open, inputs, answer, writers } = await rig(t)
  const client = await open()
  client.send(goal('x'))
  await until(() => inputs.length === 1)
  client.ws.terminate()
  await until(() => writers.stats().writers === 0)
  answer(inputs[0], { kind: 'committed', epoch: 1, seq: 1 })
  t.match(writers.stats(), { answersLost: 1, writesInFlight: 0 })
})

t.test('a frame over the limit for writes closes the connection', async t => {
  const { open } = await rig(t)
  const client = await open()
  client.ws.send('x'.repeat(1_048_577))
  await until(() => client.closed !== undefined)
  t.equal(client.closed?.code, 1009)
})

t.test('a node that drains closes writers with 1012', async t => {
  const { open, writers } = await rig(t)
  const client = await open()
  await until(() => writers.stats().writers === 1)
  writers.drain(1_000)
  await until(() => client.closed !== undefined)
  t.equal(client.closed?.code, 1012)
})

t.test('close is safe at every point and reports nothing afterwards', async t => {
  for (let point = 0; point < 20; point++) {
    const { writers, inputs, open, answer } = await rig(t)
    const client = await open()
    client.send(goal('x'))
    await turns(point)
    writers.close()
    const count = inputs.length
    writers.close()
    writers.drain(1)
    answer(inputs[0], { kind: 'committed', epoch: 1, seq: 1 })
    await turns(5)
    t.equal(inputs.length, count)
  }
})
