/*
 * Frames to viewers, each read once, however many get it: they never change. Edges make the same frames for
 * the same cohorts, mostly at about the same time, so the last texts are known again whoever made them.
 */
import { assert, decodeUtf8, encodeUtf8 } from '@fanfold/kernel'
import type { ViewerFrame } from '@fanfold/protocol'
import { hiddenMarkers } from './marker.ts'

/** A frame to viewers and what is in it. */
export type ReceivedFrame = {
  readonly frame: ViewerFrame
  readonly markers: ReadonlySet<string>
  /** What looks like a marker in a position, which is sealed: mostly chance. */
  readonly positionMarkers: ReadonlySet<string>
}

const positionMember = /"position":"[^"]*"/
const noMarkers: ReadonlySet<string> = new Set()

const read = new WeakMap<Uint8Array, ReceivedFrame>()

/** Frames whose texts are known, and their length together; beyond either all are forgotten. */
const textsMax = 512
const textLengthMax = 4_194_304
const byText = new Map<string, ReceivedFrame>()
let textLength = 0

/** A frame as it is read; an edge of this process made it, so its shape is trusted. */
export function readFrame(bytes: Uint8Array): ReceivedFrame {
  let known = read.get(bytes)
  if (known === undefined) {
    const text = textOf(bytes)
    known = byText.get(text) ?? readAnew(bytes, text)
    read.set(bytes, known)
  }
  return known
}

function readAnew(bytes: Uint8Array, text: string): ReceivedFrame {
  const frame = { frame: parsed(text), ...markersOf(bytes, text) }
  textLength += text.length
  if (byText.size === textsMax || textLength > textLengthMax) {
    byText.clear()
    textLength = text.length
  }
  byText.set(text, frame)
  return frame
}

function parsed(text: string): ViewerFrame {
  let frame: ViewerFrame | undefined
  try {
    frame = JSON.parse(text)
  } catch {
    // Told below.
  }
  assert(frame !== undefined, 'a frame to a viewer is JSON')
  return frame
}

/** A frame as a client decodes it. Pieces of a view are made anew: what they have becomes part of it. */
export function decodeFrame(bytes: Uint8Array): ViewerFrame {
  const { frame } = readFrame(bytes)
  return frame.type === 'snapshot-piece' ? (JSON.parse(textOf(bytes)) as ViewerFrame) : frame
}

function textOf(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes)
  assert(text !== undefined, 'a frame to a viewer is UTF-8')
  return text
}

function markersOf(bytes: Uint8Array, text: string): Omit<ReceivedFrame, 'frame'> {
  const markers = hiddenMarkers(bytes)
  if (markers.size === 0) return { markers, positionMarkers: noMarkers }
  const [position] = text.match(positionMember) ?? ['']
  const positionMarkers = hiddenMarkers(encodeUtf8(position))
  if (positionMarkers.size === 0) return { markers, positionMarkers }
  return { markers: hiddenMarkers(encodeUtf8(text.replace(position, ''))), positionMarkers }
}
