/* Effects and inputs of the replica worker port as they cross between threads, and back again. */
import {
  type PackedPiece,
  type ReplicaWorkerEffect,
  type ReplicaWorkerInput,
  snapshotCodecs,
} from '@fanfold/document'
import { unreachable } from '@fanfold/kernel'
import { decodeManifest, encodeManifest, LogRecord } from '@fanfold/protocol'
import type { Parcel, ParcelSlice } from './worker-parcels.ts'

type EffectOf<Kind extends ReplicaWorkerEffect['kind']> = Extract<
  ReplicaWorkerEffect,
  { kind: Kind }
>
type InputOf<Kind extends ReplicaWorkerInput['kind']> = Extract<ReplicaWorkerInput, { kind: Kind }>

/** An effect without its bytes. */
export type EffectHead =
  | Omit<EffectOf<'worker-open'>, 'snapshot'>
  | Omit<EffectOf<'worker-feed'>, 'records'>
  | Omit<EffectOf<'worker-view'>, 'variant'>
  | EffectOf<'worker-encode' | 'worker-close'>

/** An answer without its bytes. */
export type InputHead =
  | (Omit<InputOf<'worker-encoded'>, 'snapshot' | 'packed'> & {
      /** Of each piece; what is packed by none is the piece, and not sent twice. */
      readonly codecs: readonly number[]
    })
  | (Omit<InputOf<'worker-viewed'>, 'pieces'> & { readonly isShown: boolean })
  | InputOf<'worker-failed'>

/** What a thread says. */
export type ThreadMessage =
  /** It took a slice of so many bytes: that many more may come. */
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'slice'; readonly slice: ParcelSlice<InputHead> }

/** An effect to be sent. */
export function packEffect(effect: ReplicaWorkerEffect): Parcel<EffectHead> {
  switch (effect.kind) {
    case 'worker-open': {
      const { snapshot, ...head } = effect
      return { head, arrays: [encodeManifest(snapshot.manifest), ...snapshot.pieces] }
    }
    case 'worker-feed': {
      const { records, ...head } = effect
      return { head, arrays: records.map(({ bytes }) => bytes) }
    }
    case 'worker-view': {
      const { variant, ...head } = effect
      return { head, arrays: [variant] }
    }
    case 'worker-encode':
    case 'worker-close':
      return { head: effect, arrays: [] }
    default:
      return unreachable(effect)
  }
}

/** The effect that was sent. */
export function unpackEffect({ head, arrays }: Parcel<EffectHead>): ReplicaWorkerEffect {
  switch (head.kind) {
    case 'worker-open': {
      const [manifest, ...pieces] = arrays
      return { ...head, snapshot: { manifest: decodeManifest(manifest ?? nothing), pieces } }
    }
    case 'worker-feed':
      return { ...head, records: arrays.map(bytes => LogRecord.decode(bytes)) }
    case 'worker-view':
      return { ...head, variant: arrays[0] ?? nothing }
    case 'worker-encode':
    case 'worker-close':
      return head
    default:
      return unreachable(head)
  }
}

/** An answer to be sent. */
export function packInput(input: ReplicaWorkerInput): Parcel<InputHead> {
  switch (input.kind) {
    case 'worker-encoded': {
      const { snapshot, packed, ...head } = input
      const codecs = packed.map(({ codec }) => codec)
      const packedBytes = packed
        .filter(({ codec }) => codec !== snapshotCodecs.none)
        .map(({ bytes }) => bytes)
      const manifest = encodeManifest(snapshot.manifest)
      return { head: { ...head, codecs }, arrays: [manifest, ...snapshot.pieces, ...packedBytes] }
    }
    case 'worker-viewed': {
      const { pieces, ...head } = input
      return { head: { ...head, isShown: pieces !== undefined }, arrays: pieces ?? [] }
    }
    case 'worker-failed':
      return { head: input, arrays: [] }
    default:
      return unreachable(input)
  }
}

/** The answer that was sent. */
export function unpackInput({ head, arrays }: Parcel<InputHead>): ReplicaWorkerInput {
  switch (head.kind) {
    case 'worker-encoded': {
      const { codecs, ...rest } = head
      const [manifest, ...others] = arrays
      const pieces = others.slice(0, codecs.length)
      let at = codecs.length
      const packed = codecs.map((codec, index): PackedPiece => {
        const bytes = codec === snapshotCodecs.none ? pieces[index] : others[at++]
        return { codec, bytes: bytes ?? nothing }
      })
      return {
        ...rest,
        snapshot: { manifest: decodeManifest(manifest ?? nothing), pieces },
        packed,
      }
    }
    case 'worker-viewed': {
      const { isShown, ...rest } = head
      return { ...rest, pieces: isShown ? arrays : undefined }
    }
    case 'worker-failed':
      return head
    default:
      return unreachable(head)
  }
}

const nothing = new Uint8Array(0)
