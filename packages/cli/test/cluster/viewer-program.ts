/*
 * A viewer as a process of its own, for where this one cannot go: another network. It writes a line for
 * each frame that it took: when, where it stands, and when the newest value of its state was written.
 */
import { isJsonObject, type JsonObject } from '@fanfold/document'
import { RawViewer } from './raw-viewer.ts'
import { canonicalHash } from './recording.ts'

const { FANFOLD_URL: url = '', FANFOLD_TOKEN: token = '' } = process.env
const [doc = ''] = process.argv.slice(2)

/** When the newest value was written; 0 when none was. */
function newestOf(state: JsonObject): number {
  const times = Object.values(state).map(value =>
    isJsonObject(value) ? Number(value['writtenAt'] ?? 0) : 0,
  )
  return Math.max(0, ...times)
}

function tell({ seq, state = {}, deltas, snapshots, small, problems, closeCode }: RawViewer): void {
  const line = {
    at: Date.now(),
    seq,
    deltas: deltas.length,
    snapshots: snapshots.length,
    // With no patch in it: a state in each line would be more than what came.
    last: { from: deltas.at(-1)?.from, seq: deltas.at(-1)?.seq },
    newest: newestOf(state),
    hash: canonicalHash(state),
    told: small,
    problems,
    closeCode,
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await RawViewer.open({ url, token, doc, onChange: tell })
