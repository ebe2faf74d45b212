/*
 * Logs on files as an authority would have written them over days: a document of so many bytes, grown in
 * steps, and then so many small deltas.
 */
import { LogClient } from '@fanfold/conformance'
import { applyPatch, Chain, encodeSnapshot } from '@fanfold/document'
import { encodeUtf8 } from '@fanfold/kernel'
import { sha256 } from '@fanfold/node'
import { encodeRecord, parseDocumentKey, saltBytes, zeroPosition } from '@fanfold/protocol'
import { createFileLogStore } from '@fanfold/storage'

/** Entries that the small deltas change. */
const entryCount = 50
/** Bytes of one text of what fills the state, and texts in one record. */
const fillBytes = 1_000
const fillsPerRecord = 800
const recordsPerAppend = 2_000
const startMs = 1_700_000_000_000

/** A text that is not the same all over: what packs it has something to do. */
const fillText = index => {
  let text = ''
  for (
    let word = index * 7_919 + 1;
    text.length < fillBytes;
    word = (word * 48_271) % 2_147_483_647
  )
    text += `${word.toString(36)} `
  return text.slice(0, fillBytes)
}

/** What is in the records of the log: the state of `create`, then the patches of what fills the state to about `stateBytes`, then `deltas` small ones. */
function* patchesOf({ deltas, stateBytes }) {
  const entries = Object.fromEntries(
    Array.from({ length: entryCount }, (_, index) => [`entry-${index}`, { text: '' }]),
  )
  yield ['create', { entries, fill: {} }]
  const fills = Math.floor(stateBytes / (fillBytes + 15))
  for (let first = 0; first < fills; first += fillsPerRecord) {
    const patch = []
    for (let index = first; index < Math.min(fills, first + fillsPerRecord); index++) {
      patch.push({ op: 'add', path: `/fill/f-${index}`, value: fillText(index) })
    }
    yield ['delta', patch]
  }
  for (let index = 0; index < deltas; index++) {
    const value = `${index}`.padStart(40, 'y')
    yield ['delta', [{ op: 'replace', path: `/entries/entry-${index % entryCount}/text`, value }]]
  }
}

/**
 * Writes the log of a document into `directory`, with a snapshot at its end, so that an authority opens it
 * soon; returns its key, its last seq and the state's bytes.
 */
export async function growLog({ directory, id, deltas, stateBytes }) {
  const doc = parseDocumentKey(`bench/grown/${id}`)
  const client = new LogClient(receive =>
    createFileLogStore({ directory, nodeId: 'authority', sha256, receive }),
  )
  await client.open(doc)
  const chain = new Chain(sha256)
  let after = zeroPosition
  let end = zeroPosition
  let state
  let records = []
  let bytes = 0
  const append = async () => {
    const answer = await client.append({ doc, epoch: 1, after, records })
    if (answer.kind !== 'log-appended') throw new Error(answer.message)
    after = end
    records = []
    bytes = 0
    client.inputs.length = 0
  }
  for (const [kind, patch] of patchesOf({ deltas, stateBytes })) {
    state = kind === 'create' ? structuredClone(patch) : applyPatch(state, patch)
    const seq = end.seq + 1
    const record = chain.seal(
      encodeRecord({
        kind,
        key: doc,
        epoch: 1,
        seq,
        timeMs: startMs + seq,
        trace: undefined,
        parts: [
          { tag: 0, salt: new Uint8Array(saltBytes), payload: encodeUtf8(JSON.stringify(patch)) },
        ],
      }),
      end.hash,
    )
    records.push(record)
    bytes += record.bytes.length
    end = { epoch: 1, seq, hash: record.chainHash.slice() }
    if (records.length === recordsPerAppend || bytes > 4_000_000) await append()
  }
  if (records.length > 0) await append()
  const snapshot = encodeSnapshot({ at: end, state, definition: undefined, sha256 })
  await client.keepSnapshot(doc, snapshot)
  client.release(doc)
  await client.store.close()
  return { doc, lastSeq: end.seq, bytes: JSON.stringify(state).length }
}
