/* Writers as a process of their own: started with a ClientArguments<WritersSettings>. */
import { Prng } from '@fanfold/kernel'
import type {
  ClientArguments,
  WriterHistoryEvent,
  WritersSettings,
  WritersState,
} from './client-messages.ts'
import { HistoryFile } from './history-file.ts'
import { LedgerWriter } from './ledger-writer.ts'
import { serveRequests } from './serve-requests.ts'

const { settings, file }: ClientArguments<WritersSettings> = JSON.parse(process.argv[2] ?? '')
const history = new HistoryFile(file)
const counts = { acknowledged: 0, refused: 0, unknown: 0 }
const seqs: Record<string, number> = {}

const listener = {
  event(event: WriterHistoryEvent): void {
    history.add(event)
    if (event.kind === 'ok') {
      counts.acknowledged++
      seqs[event.doc] = Math.max(seqs[event.doc] ?? 0, event.seq)
    } else if (event.kind === 'fail') counts.refused++
    else if (event.kind === 'info') counts.unknown++
  },
}
const writers = settings.writers.map(writer => {
  const prng = new Prng(`${settings.seed}/${writer.name}`)
  return new LedgerWriter(writer, { settings, prng, listener })
})

serveRequests<WritersState>({
  state: () => {
    history.flush()
    return {
      ...counts,
      open: writers.reduce((sum, { open }) => sum + open, 0),
      connected: writers.filter(({ isConnected }) => isConnected).length,
      seqs,
    }
  },
  take: kind => {
    for (const writer of writers) {
      if (kind === 'end') writer.close()
      else if (kind === 'mark') writer.mark()
      else writer.setPaused(kind === 'pause')
    }
  },
})
