/*
 * Many times in a row the authority dies amid writes, or all nodes lose power at one instant; then the
 * logs are cut behind what somebody was told, and everything is started again. In the end every write
 * that was ever acknowledged is looked for.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Prng } from '@fanfold/kernel'
import type {
  ViewersSettings,
  ViewersState,
  WritersSettings,
  WritersState,
} from './clients/client-messages.ts'
import { ClientProcess } from './clients/client-process.ts'
import { judgeRun, type RunVerdict } from './judge-run.ts'
import { losePower } from './logs/power-loss.ts'
import type { Cleanups } from './processes/cleanups.ts'
import { Fleet } from './processes/fleet.ts'

/** What to do. */
export type CyclesOptions = {
  readonly cycles: number
  /** Writes that are acknowledged in each at least. */
  readonly writesPerCycle: number
  readonly seed: string
  /** Where histories, logs and data go; it exists and is empty. */
  readonly directory: string
  readonly cleanups: Cleanups
  /** Told of each cycle. */
  readonly onCycle: (done: CycleDone) => void
}

/** One cycle that is over. */
export type CycleDone = {
  readonly cycle: number
  readonly kind: 'kill' | 'power-loss'
  /** Writes that were acknowledged so far. */
  readonly acknowledged: number
  /** From the death to the first acknowledgement after it, ms. */
  readonly awayMs: number
  /** Of all logs together. */
  readonly bytesLost: number
}

/** What came of it. */
export type CyclesResult = {
  readonly verdict: RunVerdict
  readonly cycles: readonly CycleDone[]
  /** When a writer had last sent something, until all viewers showed it, ms. */
  readonly convergedMs: number
}

const documents = 4
const writersPerDocument = 2
const inFlightMax = 128
/** Longest time from a start until so much is acknowledged, ms. */
const cycleMsMax = 60_000
/** Longest time in which viewers must show the last write, ms. */
const convergeMsMax = 20_000
/** A kill comes at a moment within so long, ms. */
const jitterMs = 60
/** Of all deaths, how many are of the authority alone. */
const killShare = 0.5

/** Runs all cycles, and judges what came of them. */
export async function runCycles(options: CyclesOptions): Promise<CyclesResult> {
  const { seed, directory, cleanups, onCycle } = options
  const prng = new Prng(seed)
  const docs = Array.from({ length: documents }, (_, index) => `a/ledger/${index}`)
  mkdirSync(join(directory, 'fleet'))
  const fleet = new Fleet({ directory: join(directory, 'fleet'), cleanups })
  const authority = await fleet.start({
    name: 'authority',
    roles: ['authority'],
    // So that logs are not replayed from their first record, and snapshots have their part in it.
    options: { 'limits.snapshotEveryRecords': 20_000, 'limits.segmentBytesMax': '16MiB' },
  })
  const urlOf = (name: string): string => `ws://127.0.0.1:${fleet.node(name).port}`
  await fleet.start({ name: 'edge', roles: ['edge'], parents: [urlOf('authority')] })

  const files = {
    writers: [join(directory, 'writers.jsonl')],
    viewers: [join(directory, 'viewers.jsonl')],
    data: fleet.dataOf('authority'),
    docs,
  }
  const writers = new ClientProcess<WritersSettings, WritersState>({
    program: 'writer-program',
    wrapper: [],
    settings: {
      urls: [`ws://127.0.0.1:${authority.port}`],
      token: await fleet.writerToken('writer'),
      seed,
      writers: docs.flatMap((doc, index) =>
        Array.from({ length: writersPerDocument }, (_, number) => ({
          name: `w${index * writersPerDocument + number}`,
          doc,
        })),
      ),
      inFlightMax,
      perSecond: 0,
      valueLength: 40,
      resendShare: 0.5,
    },
    file: files.writers[0] ?? '',
    cleanups,
  })
  const tokens = {
    open: await fleet.viewerToken({}),
    premium: await fleet.viewerToken({ plan: 'premium' }),
  }
  const docOf = new Map<string, string>()
  const viewers = new ClientProcess<ViewersSettings, ViewersState>({
    program: 'viewer-program',
    wrapper: [],
    settings: {
      viewers: docs.map((doc, index) => {
        const audience = index % 2 === 0 ? 'open' : 'premium'
        docOf.set(`v${index}`, doc)
        const token = tokens[audience]
        return { name: `v${index}`, doc, audience, token, urls: [urlOf('edge')], maxRate: 20 }
      }),
    },
    file: files.viewers[0] ?? '',
    cleanups,
  })

  const done: CycleDone[] = []
  let { acknowledged } = await writers.until('writes are acknowledged', one => one.acknowledged > 0)
  for (let cycle = 1; cycle <= options.cycles; cycle++) {
    const goal = acknowledged + options.writesPerCycle
    await writers.until(
      `cycle ${cycle} acknowledges ${options.writesPerCycle} writes`,
      one => one.acknowledged >= goal,
      cycleMsMax,
    )
    await delay(prng.below(jitterMs))
    const kind = prng.chance(killShare) ? 'kill' : 'power-loss'
    const diedAtMs = performance.now()
    for (const name of kind === 'kill' ? ['authority'] : fleet.names) fleet.node(name).killNow()
    for (const name of fleet.names) {
      if (kind === 'power-loss' || name === 'authority') await fleet.node(name).exited
    }
    let bytesLost = 0
    if (kind === 'power-loss') {
      await writers.until('writers notice', ({ connected }) => connected === 0)
      const told = await writers.ask('tell')
      const shown = await viewers.ask('tell')
      for (const doc of docs) {
        const seqs = Object.entries(shown.seqs).filter(([name]) => docOf.get(name) === doc)
        const keptSeq = Math.max(told.seqs[doc] ?? 0, ...seqs.map(([, seq]) => seq))
        bytesLost += losePower({ data: files.data, doc, keptSeq, prng }).bytesLost
      }
    }
    const before = (await writers.ask('tell')).acknowledged
    await fleet.restart('authority')
    if (kind === 'power-loss') await fleet.restart('edge')
    ;({ acknowledged } = await writers.until(
      'writes are acknowledged again',
      one => one.acknowledged > before,
    ))
    const awayMs = performance.now() - diedAtMs
    done.push({ cycle, kind, acknowledged, awayMs, bytesLost })
    onCycle({ cycle, kind, acknowledged, awayMs, bytesLost })
  }
  await writers.ask('pause')
  await writers.until('all writes are answered', ({ open }) => open === 0)
  await writers.ask('mark')
  const startedAtMs = performance.now()
  const { seqs } = await writers.until('the last writes are answered', ({ open }) => open === 0)
  await viewers.until(
    'all viewers show them',
    state => [...docOf].every(([name, doc]) => (state.seqs[name] ?? 0) >= (seqs[doc] ?? 0)),
    convergeMsMax,
  )
  const convergedMs = performance.now() - startedAtMs
  for (const clients of [writers, viewers]) await clients.ask('end')
  await fleet.stop()
  return { verdict: await judgeRun(files), cycles: done, convergedMs }
}
