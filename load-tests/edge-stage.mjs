import { Chain, encodeSnapshot, recordedDefinition } from '@fanfold/document'
import { Edge } from '@fanfold/edge'
import { encodeUtf8, instant, milliseconds, Prng } from '@fanfold/kernel'
import { sha256 } from '@fanfold/node'
import {
  decodeViewerRequest,
  encodeLinkFrame,
  encodeRecord,
  encodeRecordsFrame,
  parseDocumentKey,
  saltBytes,
  zeroHash,
} from '@fanfold/protocol'
import { defaultUpstreamLimits } from '@fanfold/replication'
import { processorUs } from './processor-time.mjs'

const link = 1
const channel = 1
const ceiling = 239
const startMs = 1_700_000_000_000
/** 100 deltas a second, as the machine's clock has it. */
const stepUs = 10_000

/** The document of a stage. */
export const stageKey = ({ type }) => `bench/${type}/one`

/** An edge's machine with one document, its parent's frames, and nothing around it. */
export class EdgeStage {
  #doc
  #edge
  #chain = new Chain(sha256)
  #seq = 1
  #hash = zeroHash
  #now = 0
  #effects = []

  /** @param state what the document holds, of `definition`, an edge's */
  constructor({ definition, state }) {
    this.#doc = parseDocumentKey(stageKey(definition))
    const hash = '5a'.repeat(32)
    this.#edge = new Edge({
      sha256,
      prng: new Prng('bench'),
      wallClockMs: () => startMs + this.#now / 1_000,
      limits: {
        follower: {
          ring: { recordsMax: 8_192, bytesMax: 16_777_216, ageMax: milliseconds(60_000) },
          upstream: defaultUpstreamLimits,
          pendingBytesMax: 67_108_864,
        },
        lingerMs: 60_000,
        documentsPerViewerMax: 10,
        documentsMax: 10,
      },
    })
    const peer = { node: 'parent', incarnation: '1', region: 'r', roles: ['proxy'], ceiling }
    this.#receive({ kind: 'variant-loaded', hash, definition })
    this.#receive({ kind: 'link-opened', link, peer, dialled: true })
    // Somebody has to want the document before it is followed.
    this.observe(0)
    const at = { epoch: 1, seq: this.#seq, hash: this.#hash }
    const { manifest, pieces } = encodeSnapshot({
      at,
      state,
      definition: recordedDefinition({
        variants: [{ ceiling: 0, hash }],
        viewKey: 'ab'.repeat(16),
        labels: definition.labels,
      }),
      sha256,
    })
    for (const frame of [
      { kind: 'welcome', doc: this.#doc, channel, mode: 'snapshot', head: at, ceiling },
      { kind: 'snapshot-begin', channel, manifest },
      ...pieces.map((piece, index) => ({
        kind: 'snapshot-piece',
        channel,
        index,
        codec: 0,
        piece,
      })),
    ]) {
      this.#receive({ kind: 'link-frame', link, frame: encodeLinkFrame(frame) })
    }
    this.leave(0)
  }

  get cohortCount() {
    return this.#edge.cohortCount
  }

  /** A viewer comes and observes; returns the bytes that it is sent. */
  observe(viewer, { subject = `p-${viewer}`, claims = {}, viewState } = {}) {
    const grants = {
      subject,
      documents: ['bench/**'],
      allow: ['observe'],
      claims,
    }
    this.#receive({ kind: 'viewer-opened', viewer, grants })
    return this.#request(viewer, { type: 'observe', viewState })
  }

  /** A viewer goes. */
  leave(viewer) {
    this.#receive({ kind: 'viewer-closed', viewer })
  }

  /** A viewer wants another view; returns the bytes that it is sent. */
  turnTo(viewer, viewState) {
    return this.#request(viewer, { type: 'viewState', viewState })
  }

  /** A viewer sends this frame; returns the bytes that it is answered. */
  hear(viewer, text) {
    return this.#request(viewer, decodeViewerRequest(text))
  }

  /** The parent's frames of the next deltas, one each: lists of [label, patch]. */
  encode(deltas) {
    return deltas.map(parts => {
      this.#seq++
      const bytes = encodeRecord({
        kind: 'delta',
        key: this.#doc,
        epoch: 1,
        seq: this.#seq,
        timeMs: startMs + this.#seq * 10,
        trace: undefined,
        parts: parts.map(([tag, patch]) => ({
          tag,
          salt: new Uint8Array(saltBytes),
          payload: encodeUtf8(JSON.stringify(patch)),
        })),
      })
      const record = this.#chain.seal(bytes, this.#hash)
      this.#hash = record.chainHash.slice()
      return encodeRecordsFrame(channel, [record.bytes])
    })
  }

  /** Takes the frames in, one by one; returns the processor time for each, µs. */
  feed(frames) {
    const us = processorUs(() => {
      for (const frame of frames) this.#receive({ kind: 'link-frame', link, frame })
    })
    return us / frames.length
  }

  #request(viewer, request) {
    return this.#receive({
      kind: 'viewer-requested',
      viewer,
      request: { ...request, doc: this.#doc },
    })
  }

  /** Returns the bytes that single viewers are sent. */
  #receive(input) {
    this.#now += stepUs
    this.#edge.receive(input, instant(this.#now), this.#effects)
    let bytes = 0
    for (const { kind, frame } of this.#effects) {
      if (kind === 'viewer-send' || kind === 'cohort-move') bytes += frame?.length ?? 0
    }
    this.#effects.length = 0
    return bytes
  }
}
