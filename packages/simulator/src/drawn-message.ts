/* Messages of a board, drawn: of texts up to some length, or of about so many bytes each. */
import { encodeUtf8, type Prng } from '@fanfold/kernel'
import { type BoardMessage, phases, rowsMax, subjects, teams } from './board.ts'
import { drawMarker, markerLength } from './marker.ts'

const playersMax = 12

/** What a change takes besides its text: its operation, and where it is. */
const operationBytes = 48

/** Draws the fields of one kind of message; `text` draws a text with a marker in it. */
type DrawValue = (prng: Prng, text: () => string) => unknown

type Kind = readonly [weight: number, message: string, value: DrawValue]

const subject = (prng: Prng): string => prng.pick(subjects)
const player = (prng: Prng): string => `${prng.below(playersMax)}`

const kinds: readonly Kind[] = [
  [22, 'count', prng => ({ name: `c/${prng.below(8)}~`, by: 1 + prng.below(5) })],
  [4, 'title', (_, text) => ({ title: text() })],
  [14, 'insert', (prng, text) => ({ at: prng.below(rowsMax), text: text() })],
  [4, 'remove', prng => ({ at: prng.below(rowsMax) })],
  [7, 'mark', prng => ({ at: prng.below(8), mark: prng.pick(words) })],
  [2, 'turn', () => ({})],
  [
    13,
    'score',
    prng => ({ player: player(prng), points: prng.below(1000), round: `${prng.below(3)}` }),
  ],
  [2, 'retire', prng => ({ player: player(prng) })],
  [6, 'phase', prng => ({ phase: prng.pick(phases) })],
  [3, 'team', prng => ({ subject: subject(prng), team: prng.pick(teams) })],
  [6, 'deal', (prng, text) => ({ subject: subject(prng), card: text() })],
  [1, 'gather', () => ({})],
  [4, 'role', (prng, text) => ({ subject: subject(prng), role: text() })],
  [3, 'gold', (_, text) => ({ gold: text() })],
  [4, 'note', (prng, text) => ({ name: drawMarker(prng), text: text() })],
  [1, 'rob', (_, text) => ({ gold: text() })],
  [2, 'fail', (_, text) => ({ why: text() })],
  [1, 'nothing', () => ({})],
  [1, 'count', () => 'not an object'],
]

/** Kinds that write their text, and so are as large as it is. */
const writesText: ReadonlySet<string> = new Set(['title', 'insert', 'deal', 'role', 'gold', 'note'])
const textKinds: readonly Kind[] = kinds.filter(([, message]) => writesText.has(message))

/** Draws a message whose texts have at most about so many characters, each with a marker in it. */
export function drawMessage(prng: Prng, textMax: number): BoardMessage {
  const text = (): string => {
    const word = prng.pick(words)
    const room = Math.max(1, Math.floor((textMax - markerLength) / word.length))
    return word.repeat(prng.below(room)) + drawMarker(prng)
  }
  return drawOf(kinds, prng, text)
}

/**
 * Draws a message whose change has about so many bytes. Where that is less than a text with a marker in
 * it takes, it is one of any kind with the shortest texts.
 */
export function drawSizedMessage(prng: Prng, bytes: number): BoardMessage {
  const isSmall = bytes < operationBytes + markerLength
  return drawOf(isSmall ? kinds : textKinds, prng, () => drawText(prng, bytes - operationBytes))
}

/** Draws a message that adds about so many bytes to a document, for longer than most others do. */
export function drawLargeRow(prng: Prng, bytes: number): BoardMessage {
  const text = drawText(prng, bytes - operationBytes)
  return { message: 'insert', value: { at: rowsMax, text } }
}

function drawOf(among: readonly Kind[], prng: Prng, text: () => string): BoardMessage {
  let draw = prng.below(among.reduce((sum, [weight]) => sum + weight, 0))
  for (const [weight, message, value] of among) {
    draw -= weight
    if (draw < 0) return { message, value: value(prng, text) }
  }
  return { message: 'nothing', value: {} }
}

/** A text that has so many bytes in JSON, and no fewer than a marker. */
function drawText(prng: Prng, bytes: number): string {
  const room = Math.max(0, bytes - markerLength)
  const word = prng.pick(words)
  const wordBytes = bytesInJson(word)
  return word.repeat(Math.floor(room / wordBytes)) + '.'.repeat(room % wordBytes) + drawMarker(prng)
}

const bytesInJson = (text: string): number => encodeUtf8(JSON.stringify(text)).length - 2

// Some need escapes in JSON or in a pointer, some have several bytes per character.
const words = ['a', 'goal ', 'two"quotes" ', 'tilde~slash/ ', 'naïve ', '東京 ', '🏁', '\\ \n']
