import { encodeUtf8, instant } from '@fanfold/kernel'
import { encodeLinkFrame, parseDocumentKey } from '@fanfold/protocol'
import type { WorldEvent } from '@fanfold/simulator'
import t from 'tap'
import type { Item } from '../../src/picture/item.ts'
import { RunRecorder } from '../../src/picture/run-recorder.ts'

const doc = parseDocumentKey('acme/board/0')
const leave = (): Uint8Array => encodeLinkFrame({ kind: 'leave', doc })

type Step = readonly [node: string, kind: 'input' | 'effect', what: { readonly kind: string }]

/** What a recorder makes of some events, 10 µs after each other. */
function recorded(steps: readonly (Step | ((at: number) => WorldEvent))[]) {
  const recorder = new RunRecorder(1_000)
  for (const [index, step] of steps.entries()) {
    const at = instant(index * 10)
    if (typeof step === 'function') recorder.take(step(at))
    else if (step[1] === 'input')
      recorder.take({ kind: 'input', at, node: step[0], input: step[2] })
    else recorder.take({ kind: 'effect', at, node: step[0], effect: step[2] })
  }
  return recorder
}

const opened = (node: string, link: number, peer: string, dialled: boolean): Step => [
  node,
  'input',
  Object.assign({ kind: 'link-opened' }, { link, peer: { node: peer }, dialled }),
]
const send = (node: string, link: number, frame: Uint8Array): Step => [
  node,
  'effect',
  Object.assign({ kind: 'link-send' }, { link, frame }),
]
const arrive = (node: string, link: number, frame: Uint8Array): Step => [
  node,
  'input',
  Object.assign({ kind: 'link-frame' }, { link, frame }),
]
const links = [opened('proxy-0', 1, 'authority', true), opened('authority', 2, 'proxy-0', false)]
const messages = (items: readonly Item[]) => items.filter(({ kind }) => kind === 'message')

t.test('a frame goes from the one who sends it to the one it reaches', async t => {
  const frame = leave()
  const { items, parents } = recorded([
    ...links,
    send('proxy-0', 1, frame),
    arrive('authority', 2, frame),
  ])
  t.match(messages(items), [
    {
      from: 'proxy-0',
      to: 'authority',
      atMicros: 20,
      arrivedMicros: 30,
      label: { what: 'leave', doc },
    },
  ])
  t.same(parents.get('proxy-0'), new Set(['authority']))
})

t.test('one that is sent to several arrives at each, one that is lost at none', async t => {
  const frame = leave()
  const { items } = recorded([
    ...links,
    opened('authority', 3, 'proxy-1', false),
    opened('proxy-1', 4, 'authority', true),
    send('authority', 2, frame),
    send('authority', 3, frame),
    arrive('proxy-1', 4, frame),
  ])
  t.match(messages(items), [
    { to: 'proxy-0', arrivedMicros: undefined },
    { to: 'proxy-1', arrivedMicros: 60 },
  ])
})

t.test('other bytes than were sent are damaged', async t => {
  const { items } = recorded([
    ...links,
    send('proxy-0', 1, leave()),
    arrive('authority', 2, leave()),
  ])
  t.match(messages(items), [
    { arrivedMicros: undefined },
    { arrivedMicros: 30, label: { what: 'damaged leave', tone: 'trouble' } },
  ])
})

t.test('what an edge sends to viewers arrives at each', async t => {
  const frame = encodeUtf8(JSON.stringify({ type: 'delta', doc, from: 3, seq: 4 }))
  const { items } = recorded([
    at => ({ kind: 'viewer-connects', at: instant(at), viewer: 'viewer-3', edge: 'edge-0' }),
    at => ({
      kind: 'viewer-asks',
      at: instant(at),
      viewer: 'viewer-3',
      request: { type: 'leave', doc },
    }),
    [
      'edge-0',
      'input',
      Object.assign({ kind: 'viewer-requested' }, { request: { type: 'leave', doc } }),
    ],
    ['edge-0', 'effect', Object.assign({ kind: 'cohort-send' }, { frame })],
    at => ({ kind: 'viewer-frame', at: instant(at), viewer: 'viewer-3', frame }),
  ])
  t.match(messages(items), [
    { from: 'viewer-3', to: 'edge-0', atMicros: 10, arrivedMicros: 20, label: { what: 'leave' } },
    { from: 'edge-0', to: 'viewer-3', atMicros: 30, arrivedMicros: 40, label: { detail: '3→4' } },
  ])
})

t.test('writes and what becomes of them are between writers and the authority', async t => {
  const answer = { kind: 'committed', epoch: 1, seq: 7 }
  const { items } = recorded([
    ['authority', 'input', Object.assign({ kind: 'write' }, { request: 1, doc, id: 'w-1' })],
    ['authority', 'effect', Object.assign({ kind: 'log-append' }, { doc, records: [{ seq: 7 }] })],
    ['authority', 'effect', Object.assign({ kind: 'write-answered' }, { request: 1, answer })],
  ])
  t.match(items, [
    { from: 'writers', to: 'authority', label: { what: 'write', doc } },
    { lane: 'authority', label: { what: 'append', detail: '7', tone: 'storage' } },
    { from: 'authority', to: 'writers', label: { what: 'committed', detail: '7', doc } },
  ])
})

t.test('nothing is put down of what comes after the end', async t => {
  const recorder = new RunRecorder(5)
  recorder.take({ kind: 'viewer-connects', at: instant(6), viewer: 'viewer-0', edge: 'edge-0' })
  t.same(recorder.items, [])
})
