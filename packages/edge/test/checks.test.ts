/* An edge checks what it holds and shows; what differs is told, and mended. */
import { sha256 } from '@fanfold/conformance'
import { hashState, type JsonObject, type LabelRule } from '@fanfold/document'
import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { define, doc, viewer } from './edge-log.ts'
import { type History, Model, put, Show } from './history.ts'
import { byClaims, rule } from './rules.ts'

const one = viewer(1)
const checkEveryMs = 100

const definition = define({
  rules: [rule('/odds', audience => audience['premium'] === true)],
  observe: byClaims,
})

/** An edge that checks, with a viewer who sees all but the odds. */
function watched(state: JsonObject = { score: 0, odds: 1 }, options = {}): Show {
  const show = new Show(definition, state, { limits: { checkEveryMs, lingerMs: 1e9 }, ...options })
  show.rig.open(one)
  show.rig.observe(one)
  return show
}

/** What an authority answers that has what the history says, or this state in its place. */
function answer(history: History, state = history.state, ceiling = 239): LinkFrame {
  const { definition } = history
  const hashes = hashState({ state, definition, sha256 }) ?? []
  const within = hashes.filter(({ tag }) => tag <= ceiling)
  return { kind: 'state-hash', doc, ceiling, at: history.head, hashes: within }
}

const asked = (show: Show): number =>
  show.rig.sent().filter(({ kind }) => kind === 'request-state-hash').length
