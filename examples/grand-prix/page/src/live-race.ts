import { connect } from '@fanfold/client'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type definition from '../../definition.ts'
import type { Race } from '../../race.ts'
import { type Configuration, loadConfiguration } from './configuration.ts'
import { Delivery } from './delivery.ts'

/** Whether what is shown is what happens. */
export type RaceStatus = 'connecting' | 'live' | 'stale' | 'closed'

/** What one who watches may say. Each ends as true when it counts, as false when it does not or nobody knows. */
export type Voice = {
  /** Which car it follows: where the crowd looks is made of that. */
  readonly follow: (car: number) => void
  readonly cheer: (car: number) => Promise<boolean>
  readonly vote: (car: number) => Promise<boolean>
}

/** The race as it is now, and how it gets here. */
export type LiveRace = {
  /** Undefined until the first view; parts that did not change are the same objects as before. */
  readonly race: Race | undefined
  readonly status: RaceStatus
  readonly delivery: Delivery
  /** Undefined until the race is watched. */
  readonly voice: Voice | undefined
  /** The edge and the document, to be read by people. */
  readonly source: string
}

/** Watches the race for as long as the component is there. */
export function useRace(): LiveRace {
  const delivery = useMemo(() => new Delivery(), [])
  const [race, setRace] = useState<Race | undefined>(undefined)
  const [status, setStatus] = useState<RaceStatus>('connecting')
  const [source, setSource] = useState('')
  const [voice, setVoice] = useState<Voice | undefined>(undefined)

  useEffect(() => {
    let stop: (() => void) | undefined
    let isGone = false
    const begin = async (): Promise<void> => {
      const configuration = await loadConfiguration(location)
      if (isGone) return
      setSource(`${configuration.observe} · ${configuration.document}`)
      stop = watch(configuration, { race: setRace, status: setStatus, voice: setVoice, delivery })
    }
    begin().catch(() => setStatus('closed'))
    return () => {
      isGone = true
      stop?.()
    }
  }, [delivery])

  return { race, status, delivery, voice, source }
}

type Listeners = {
  readonly race: (race: Race) => void
  readonly status: (status: RaceStatus) => void
  readonly voice: (voice: Voice) => void
  readonly delivery: Delivery
}

function watch(configuration: Configuration, listeners: Listeners): () => void {
  const { observe, document, token } = configuration
  const live = connect(observe, { token })
  const observed = live.observe<typeof definition>(document)
  // To everybody all of it is shown but the ballots, which nothing here knows of.
  observed.subscribe(view => listeners.race(view as Race))
  observed.onStatus(status => {
    listeners.status(status)
    listeners.delivery.setFollowing(status === 'live', Date.now())
  })
  const say = async (reducer: 'cheer' | 'driverOfTheDay', car: number): Promise<boolean> => {
    const outcome = await observed.add(reducer, { car }).catch(() => 'not heard')
    return outcome === 'counted'
  }
  listeners.voice({
    follow: car => observed.setViewState({ car }),
    cheer: car => say('cheer', car),
    vote: car => say('driverOfTheDay', car),
  })
  const count = async (): Promise<void> => {
    for await (const { kind, epoch, seq, patch, time } of observed) {
      if (kind === 'delta' && time !== undefined) {
        listeners.delivery.add({ epoch, seq, patch, time }, Date.now())
      }
    }
  }
  count().catch(() => listeners.status('closed'))
  return () => live.close()
}
