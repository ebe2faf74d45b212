/*
 * Recordings to play: real ones from a folder beside the repository, which not every machine has, and
 * one from a seed, which is always there.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { canonicalJson, type JsonObject, type JsonValue } from '@fanfold/document'
import { syntheticRecording } from '@fanfold/example-timing/dist/synthetic-recording.js'
import { mergedByRule } from './merge-oracle.ts'

/** A state, the lines that change it, and what it is in the end. */
export type Recording = {
  readonly name: string
  readonly state: JsonObject
  readonly lines: readonly RecordingLine[]
  /** SHA-256 of the canonical JSON of the state after the last line. */
  readonly finalHash: string
  /** Where the state and the lines are files, as they were recorded. */
  readonly files?: { readonly state: string; readonly lines: string }
}

/** One line of a recording. */
export type RecordingLine = { readonly topic: string; readonly delta: JsonValue }

/** A text, and the edits that made it. */
export type EditingTrace = {
  readonly name: string
  /** Each is one message: edits of [position, deleted, inserted], in code points. */
  readonly messages: readonly (readonly (readonly [number, number, string])[])[]
  readonly endContent: string
}

const folder =
  process.env['FANFOLD_REALDATA'] ??
  fileURLToPath(new URL('../../../../../../shared/realdata', import.meta.url))

/** Why tests on real recordings are skipped; false where the recordings are. */
export const realdataSkip: string | false = existsSync(folder)
  ? false
  : 'there are no real recordings here'

/** The path of a file of the recordings. */
export const realdataPath = (path: string): string => `${folder}/${path}`

/** SHA-256 of the canonical JSON of a value, in hex. */
export const canonicalHash = (value: JsonValue): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex')

/** A real recording with a `subscribe.json`; its own hash is taken where it has one. */
export function timingRecording(name: string): Recording {
  const state: JsonObject = JSON.parse(readText(`${name}/subscribe.json`))
  const lines = readLines(`${name}/deltas.ndjson.gz`)
  const checks = realdataPath(`${name}/checks.json`)
  const finalHash = existsSync(checks)
    ? String(JSON.parse(readFileSync(checks, 'utf8'))['final_sha256'])
    : finalHashByRule(state, lines)
  const files = {
    state: realdataPath(`${name}/subscribe.json`),
    lines: realdataPath(`${name}/deltas.ndjson.gz`),
  }
  return { name, state, lines, finalHash, files }
}

/** The changes of results of an election, which begin with no states. */
export function electionRecording(): Recording {
  const name = 'nyt-2020-election-changes'
  const state: JsonObject = { states: {} }
  const lines = readLines(`${name}/deltas.ndjson.gz`)
  return { name, state, lines, finalHash: finalHashByRule(state, lines) }
}

/** A recording that nobody recorded, the same for the same seed. */
export function seededRecording(seed: string, lineCount: number): Recording {
  const { state, lines: generate } = syntheticRecording({ seed, lineCount, carCount: 20 })
  const lines = [...generate()].map(({ topic, delta }) => ({ topic, delta }))
  return { name: `synthetic ${seed}`, state, lines, finalHash: finalHashByRule(state, lines) }
}

/** Writes a recording that has no files yet into a directory. */
export function withFiles(recording: Recording, directory: string): Required<Recording> {
  const { files, state, lines } = recording
  if (files !== undefined) return { ...recording, files }
  const written = { state: join(directory, 'state.json'), lines: join(directory, 'lines.ndjson') }
  writeFileSync(written.state, JSON.stringify(state))
  const texts = lines.map((line, index) => JSON.stringify({ seq: index + 1, ms: index, ...line }))
  writeFileSync(written.lines, `${texts.join('\n')}\n`)
  return { ...recording, files: written }
}

/** A real editing trace. */
export function editingTrace(name: string): EditingTrace {
  const { startContent, endContent, txns } = JSON.parse(
    readText(`editing-traces/${name}.json.gz`),
  ) as {
    startContent: string
    endContent: string
    txns: { patches: [number, number, string][] }[]
  }
  if (startContent !== '') throw new Error(`${name} begins with a text`)
  return { name, messages: txns.map(({ patches }) => patches), endContent }
}

/** A text that is typed by chance, the same for the same seed: mostly at one place, sometimes back. */
export function seededTrace(seed: string, editCount: number): EditingTrace {
  const next = chanceOf(seed)
  const messages: [number, number, string][][] = []
  let text = ''
  let caret = 0
  while (messages.length < editCount) {
    if (next() < 0.05) caret = Math.floor(next() * (text.length + 1))
    const isErasing = caret > 0 && next() < 0.25
    const edit: [number, number, string] = isErasing
      ? [caret - 1, 1, '']
      : [caret, 0, String.fromCharCode(97 + Math.floor(next() * 26))]
    text = text.slice(0, edit[0]) + edit[2] + text.slice(edit[0] + edit[1])
    caret = edit[0] + edit[2].length
    messages.push([edit])
  }
  return { name: `synthetic ${seed}`, messages, endContent: text }
}

/** Numbers from 0 to 1 that follow from a seed. */
export function chanceOf(seed: string): () => number {
  let count = 0
  return () => {
    const digest = createHash('sha256').update(`${seed}/${count++}`).digest()
    return digest.readUInt32BE(0) / 2 ** 32
  }
}

/** The hash of what lines make of a state, by the rule of the recordings. */
export const finalHashByRule = (state: JsonObject, lines: readonly RecordingLine[]): string =>
  canonicalHash(finalStateByRule({ state, lines }))

/** What the lines of a recording make of its state, by the rule of the recordings. */
export function finalStateByRule({ state, lines }: Pick<Recording, 'state' | 'lines'>): JsonObject {
  const final: JsonObject = structuredClone(state)
  // The oracle takes parts of lines over into the state and changes them there.
  for (const { topic, delta } of structuredClone(lines)) {
    final[topic] = mergedByRule(final[topic], delta)
  }
  return final
}

function readLines(path: string): RecordingLine[] {
  return readText(path)
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const { topic, delta }: RecordingLine = JSON.parse(line)
      return { topic, delta }
    })
}

function readText(path: string): string {
  const bytes = readFileSync(realdataPath(path))
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}
