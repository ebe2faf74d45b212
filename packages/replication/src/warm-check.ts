import type { Snapshot } from '@fanfold/document'
import { equalBytes, type Sha256, sha256Bytes } from '@fanfold/kernel'
import type { DocumentKey, LogRecord, Position } from '@fanfold/protocol'
import { RecordCheck } from './record-check.ts'

/** True when each piece of the snapshot is what its manifest says. */
export function isSnapshotWhole({ manifest, pieces }: Snapshot, sha256: Sha256): boolean {
  const digest = new Uint8Array(sha256Bytes)
  return (
    pieces.length === manifest.pieces.length &&
    manifest.pieces.every((entry, index) => {
      const piece = pieces[index]
      if (piece === undefined || piece.length !== entry.bytes) return false
      sha256(piece, digest, 0)
      return equalBytes(digest, entry.digest)
    })
  )
}

/** True when the records follow the position, one after the other, and are the document's. */
export function areRecordsWhole(
  doc: DocumentKey,
  records: readonly LogRecord[],
  after: Position,
  sha256: Sha256,
): boolean {
  const { fresh, broken } = new RecordCheck(doc, sha256).check(records, after)
  return broken === undefined && fresh.length === records.length
}
