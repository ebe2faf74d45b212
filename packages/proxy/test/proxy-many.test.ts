/* Very many documents on one link to a parent and one to a child. */
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkFrame,
  parseDocumentKey,
} from '@fanfold/protocol'
import t from 'tap'
import { child, framesOf, parent, positionAt, Rig, snapshot } from './build-proxy.ts'

const keys: readonly DocumentKey[] = Array.from({ length: 10_000 }, (_, index) =>
  parseDocumentKey(`acme/match/m${index}`),
)

/** A parent and a child that answer until nothing more is said; what the child was told, by kind. */
function settle(rig: Rig): Map<LinkFrame['kind'], number> {
  const told = new Map<LinkFrame['kind'], number>()
  let channels = 0
  const answer = (frame: LinkFrame): void => {
    if (frame.kind !== 'join') return
    const channel = ++channels
    const head = positionAt(10)
    const { doc } = frame
    rig.frame(parent, { kind: 'welcome', doc, channel, mode: 'snapshot', head, ceiling: 239 })
    for (const one of snapshot(10)) rig.frame(parent, { ...one, channel } as LinkFrame)
  }
  for (let quiet = 0; quiet < 20; quiet++) {
    const effects = rig.effects()
    const down = framesOf(effects, child)
    const up = framesOf(effects, parent)
    if (down.length + up.length > 0) quiet = 0
    let bytes = 0
    for (const frame of down) {
      told.set(frame.kind, (told.get(frame.kind) ?? 0) + 1)
      if (frame.kind.startsWith('snapshot-')) bytes += encodeLinkFrame(frame).length
    }
    if (bytes > 0) rig.frame(child, { kind: 'pieces-taken', bytes, answers: 0 })
    up.forEach(answer)
    rig.pass(10)
  }
  return told
}

const askForAll = (rig: Rig): void => {
  rig.open(parent)
  rig.open(child)
  for (const doc of keys) {
    rig.frame(child, { kind: 'join', doc, have: undefined, credit: 1_000, take: 'any', codecs: 0 })
  }
}

t.test('ten thousand documents come over one link, and go on over one', async t => {
  const rig = new Rig({ documentsMax: keys.length * 2 })
  askForAll(rig)
  const told = settle(rig)
  t.equal(told.get('welcome'), keys.length)
  t.equal(told.get('snapshot-begin'), keys.length)
  t.equal(told.get('refused'), undefined)
  t.equal(rig.proxy.documentCount, keys.length)
  t.equal(rig.proxy.streamCount, keys.length)
  t.equal(rig.proxy.childCount, 1)
})

t.test('what is beyond the room is refused with a time to wait, and holds nothing', async t => {
  const documentsMax = 100
  const rig = new Rig({ documentsMax })
  askForAll(rig)
  const refused = rig.sent(child).filter(frame => frame.kind === 'refused')
  const { documentCount } = rig.proxy
  t.ok(documentCount <= documentsMax, `${documentCount} documents`)
  t.equal(refused.length, keys.length - documentCount)
  t.ok(refused.every(({ code, retryAfterMs }) => code === 'FANFOLD_OVERLOADED' && retryAfterMs > 0))
  for (const doc of keys) {
    rig.frame(child, { kind: 'join', doc, have: undefined, credit: 1_000, take: 'any', codecs: 0 })
  }
  t.equal(rig.proxy.documentCount, documentCount, 'asked again and again there are no more')
})
