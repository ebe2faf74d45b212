/*
 * Damage to what is durable: a bit that is another, a sector that was written over another one.
 *
 * There is one copy, so what is damaged is lost. A store says so, and leaves the files as they are; or
 * it tells what is left, when that is a log without its last records, or when the damage is in a
 * snapshot and others tell the same. It never tells another log. Afterwards the disk is as it was.
 */
import type { LogInput } from '@fanfold/document'
import { equalBytes, type Prng } from '@fanfold/kernel'
import { createFileLogStore } from '@fanfold/storage'
import type { DocumentTruth } from './document-truth.ts'
import { sha256 } from './sha-256.ts'
import { type SimulatedFile, sectorBytes } from './simulated-file.ts'
import { dataDirectory, type ProcessWorld } from './store-process.ts'
import { nextTurn } from './turns.ts'

/** Calls after which an open must be answered. */
const openStepsMax = 5_000
/** Records that are lost with the last sector of a log, at most: none is shorter than this. */
const recordBytesMin = 85

type Damage = { readonly path: string; readonly what: string; readonly lostMax: number }

/** Damages one file of a document that nobody has open, and judges what is told of it. */
export async function examineDamage(
  world: ProcessWorld,
  truth: DocumentTruth,
  prng: Prng,
): Promise<void> {
  const { disk, notes } = world
  const image = disk.save()
  const damage = drawDamage(world, truth, prng)
  if (damage === undefined) return
  const before = contentsOf(world, truth)
  const inputs = await openOnce(world, truth, prng)
  const after = contentsOf(world, truth)
  for (const [path, bytes] of before) {
    const left = after.get(path) ?? after.get(`${path}.bad`)
    if (left !== undefined && equalBytes(left, bytes)) continue
    notes.problem(`${damage.what} of ${damage.path}: ${path} was changed`)
  }
  if ([...after.keys()].some(path => !before.has(path))) notes.count('damage: snapshot set aside')
  judge(world, truth, damage, inputs)
  disk.restore(image)
}

function judge(
  { notes }: ProcessWorld,
  truth: DocumentTruth,
  { path, what, lostMax }: Damage,
  inputs: readonly LogInput[],
): void {
  const answer = inputs.at(-1)
  if (answer?.kind === 'log-open-refused' && answer.code === 'FANFOLD_LOG_DAMAGED') {
    notes.count('damage: refused')
    return
  }
  if (answer?.kind !== 'log-opened') {
    notes.problem(`${what} of ${path}: the log was not opened, but ${answer?.kind}`)
    return
  }
  const snapshot = inputs.find(input => input.kind === 'log-snapshot')?.snapshot
  const records = inputs.flatMap(input => (input.kind === 'log-records' ? input.records : []))
  const told = truth.judgeDamaged({ who: `${what} of ${path}`, snapshot, records })
  if (told === undefined) return
  const lost = truth.acknowledged.length - told
  if (lost > lostMax) notes.problem(`${what} of ${path}: ${lost} records were lost without a word`)
  notes.count(lost > 0 ? 'damage: the end of a log was lost' : 'damage: the whole log was told')
}

function drawDamage(world: ProcessWorld, truth: DocumentTruth, prng: Prng): Damage | undefined {
  const files = filesOf(world, truth).filter(([, file]) => file.length > 0)
  if (files.length === 0) return undefined
  const [path, file] = prng.pick(files)
  const bytes = new Uint8Array(file.bytes)
  const isLog = path.endsWith('.log')
  if (prng.chance(0.6)) {
    const at = prng.below(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << prng.below(8))
    file.replace(bytes)
    return { path, what: `a bit flipped at byte ${at}`, lostMax: isLog ? 1 : 0 }
  }
  const at = sectorBytes * prng.below(Math.ceil(bytes.length / sectorBytes))
  const [, source] = prng.pick(files)
  const from = sectorBytes * prng.below(Math.ceil(source.length / sectorBytes))
  const sector = new Uint8Array(source.bytes.slice(from, from + sectorBytes))
  bytes.set(sector.subarray(0, bytes.length - at), at)
  file.replace(bytes)
  const lostMax = isLog ? Math.ceil(sectorBytes / recordBytesMin) + 1 : 0
  return { path, what: `a sector written over byte ${at}`, lostMax }
}

/** What a store tells that opens the document and does nothing else. */
async function openOnce(
  { disk, plant, notes }: ProcessWorld,
  { doc }: DocumentTruth,
  prng: Prng,
): Promise<LogInput[]> {
  const files = disk.mount('examiner')
  const inputs: LogInput[] = []
  const faults = disk.faults.pause()
  const store = createFileLogStore({
    directory: dataDirectory,
    nodeId: 'examiner',
    sha256,
    receive: input => inputs.push(input),
    onFatal: error => notes.problem(`examiner: ${error}`),
    files: plant(files),
    randomBytes: count => prng.bytes(count),
  })
  store.perform({ kind: 'log-open', doc })
  const isAnswered = (): boolean => {
    const kind = inputs.at(-1)?.kind
    return kind === 'log-opened' || kind === 'log-open-refused'
  }
  for (let steps = 0; !isAnswered() && steps < openStepsMax; steps++) {
    await nextTurn()
    disk.step()
  }
  files.end()
  await store.close().catch(() => undefined)
  disk.faults.resume(faults)
  return inputs
}

const contentsOf = (world: ProcessWorld, truth: DocumentTruth): Map<string, Uint8Array> =>
  new Map(filesOf(world, truth).map(([path, { bytes }]) => [path, new Uint8Array(bytes)]))

/** The log and the snapshots of a document, those that were set aside too. */
function filesOf({ disk }: ProcessWorld, { doc }: DocumentTruth): [string, SimulatedFile][] {
  const directory = `${dataDirectory}/documents/${doc}/`
  return [...disk.walk()].flatMap(([path, node]): [string, SimulatedFile][] =>
    node.kind === 'file' && path.startsWith(directory) && /\.(log|snapshot|bad)$/.test(path)
      ? [[path, node]]
      : [],
  )
}
