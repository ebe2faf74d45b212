/*
 * Records of replays with another bit in them. Proxies pass replays on as they come, and who has asked
 * verifies: so a record that was damaged on one link is met on the next ones, with the parts above
 * their ceilings cut off. It is known again by what its bytes make a chain hash of, which is the same
 * under every ceiling.
 */
import { Chain } from '@fanfold/document'
import { type Sha256, toHex } from '@fanfold/kernel'
import { decodeLinkFrame, type LogRecord, ProtocolError, zeroHash } from '@fanfold/protocol'

/** What was damaged on the links of a world. */
export class DamagedRecords {
  readonly #chain: Chain
  readonly #names = new Set<string>()

  constructor(sha256: Sha256) {
    this.#chain = new Chain(sha256)
  }

  /** A frame arrives like this, which was sent otherwise. */
  note(frame: Uint8Array): void {
    const records = recordsOf(frame)
    // The last one is where the bit is (see link-faults.ts).
    const last = records.at(-1)
    if (last !== undefined) this.#names.add(this.#nameOf(last))
  }

  /** True for a record that was damaged on its way. */
  has(record: LogRecord): boolean {
    return this.#names.size > 0 && this.#names.has(this.#nameOf(record))
  }

  #nameOf({ bytes }: LogRecord): string {
    return toHex(this.#chain.seal(bytes.slice(), zeroHash).chainHash)
  }
}

/** The records of a replay, if the frame still is one. */
function recordsOf(bytes: Uint8Array): readonly LogRecord[] {
  try {
    const frame = decodeLinkFrame(bytes)
    return frame?.kind === 'replay' ? frame.records : []
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return []
  }
}
