/*
 * A run is judged by what is in files alone: the histories of its clients, and the logs of its authority; or in
 * its Redis.
 */
import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { LogRecord } from '@fanfold/protocol'
import { ViewJudge, type ViewVerdict, WriteJudge, type WriteVerdict } from '@fanfold/simulator'
import {
  isView,
  type ViewerHistoryEvent,
  type WriterHistoryEvent,
} from './clients/client-messages.ts'
import { logRecords } from './logs/final-log.ts'
import { LedgerLog } from './logs/ledger-log.ts'

/** Where the files of a run are. */
export type RunFiles = {
  readonly writers: readonly string[]
  readonly viewers: readonly string[]
  /** The data directory of the authority, which has ended. */
  readonly data: string
  readonly docs: readonly string[]
  /** Logs of nodes. */
  readonly nodeLogs?: readonly string[] | undefined
}

/** What was found. */
export type RunVerdict = {
  readonly writes: WriteVerdict
  readonly views: ViewVerdict
  /** Of the logs themselves. */
  readonly logProblems: readonly string[]
  readonly isRight: boolean
}

/** The lines of a file, one after the other; none where there is none. */
export async function* historyLines(path: string): AsyncGenerator<string> {
  if (existsSync(path)) yield* createInterface({ input: createReadStream(path) })
}

/** The events of a history, one after the other. */
export async function* historyEvents<Event>(path: string): AsyncGenerator<Event> {
  // Written by this program.
  for await (const line of historyLines(path)) yield JSON.parse(line) as Event
}

/**
 * Judges a run.
 *
 * @param logs the logs, where they are not in files
 */
export async function judgeRun(
  files: RunFiles,
  logs?: ReadonlyMap<string, readonly LogRecord[]>,
): Promise<RunVerdict> {
  const writes = new WriteJudge()
  for (const path of files.writers) {
    for await (const event of historyEvents<WriterHistoryEvent>(path)) writes.take(event)
  }
  const seqs = new Map<string, Set<number>>(files.docs.map(doc => [doc, new Set()]))
  for (const path of files.viewers) {
    for await (const event of historyEvents<ViewerHistoryEvent>(path)) {
      if (isView(event)) seqs.get(event.doc)?.add(event.seq)
    }
  }
  const log = new LedgerLog()
  for (const doc of files.docs) {
    log.read({
      records: logs === undefined ? recordsInFiles(files.data, doc) : (logs.get(doc) ?? []),
      doc,
      seqs: seqs.get(doc) ?? new Set(),
      onWrite: write => writes.takeLogged(write),
    })
  }
  const views = new ViewJudge(log)
  for (const path of files.viewers) {
    for await (const event of historyEvents<ViewerHistoryEvent>(path)) {
      if (isView(event)) views.take(event)
    }
  }
  const said = { writes: writes.verdict(), views: views.verdict(), logProblems: log.problems }
  const isRight = said.writes.isRight && said.views.isRight && said.logProblems.length === 0
  return { ...said, isRight }
}

function* recordsInFiles(data: string, doc: string): Generator<LogRecord> {
  for (const { record } of logRecords(data, doc)) yield record
}
