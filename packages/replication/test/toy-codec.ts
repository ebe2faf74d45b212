import { plainCodec, type SnapshotCodec, snapshotCodecs } from '@fanfold/document'

/** A codec that takes out runs of one byte, and counts what it packed: brotli by its number. */
export class ToyCodec implements SnapshotCodec {
  readonly codecs = 0b10
  packs = 0

  pack(piece: Uint8Array): { codec: number; bytes: Uint8Array } {
    this.packs++
    const packed: number[] = []
    for (let at = 0; at < piece.length; ) {
      let run = 1
      while (run < 255 && piece[at + run] === piece[at]) run++
      packed.push(run, piece[at] as number)
      at += run
    }
    if (packed.length >= piece.length) return { codec: snapshotCodecs.none, bytes: piece }
    return { codec: snapshotCodecs.brotli, bytes: Uint8Array.from(packed) }
  }

  unpack(
    packed: { readonly codec: number; readonly bytes: Uint8Array },
    length: number,
  ): Uint8Array | undefined {
    if (packed.codec !== snapshotCodecs.brotli) return plainCodec.unpack(packed, length)
    const piece = new Uint8Array(length)
    let at = 0
    for (let index = 0; index + 1 < packed.bytes.length; index += 2) {
      const run = packed.bytes[index] as number
      if (at + run > length) return undefined
      piece.fill(packed.bytes[index + 1] as number, at, at + run)
      at += run
    }
    return at === length ? piece : undefined
  }
}
