import type { VNode } from 'preact'
import type { Race } from '../../race.ts'
import type { RaceStatus } from './live-race.ts'

type Props = { readonly race: Race | undefined; readonly status: RaceStatus }

/** Which race, how far, under which flag, and whether what is shown is live. */
export function SessionHeader({ race, status }: Props): VNode {
  const session = race?.session
  return (
    <header class="session">
      <div class="title">
        <h1>{session?.name || 'Live timing'}</h1>
        <p>
          {session === undefined || session.race === 0
            ? ''
            : `${session.circuit} · Race ${session.race}`}
        </p>
      </div>
      {race === undefined ? null : <Phase race={race} />}
      {race === undefined ? null : <TrackStatus race={race} />}
      <p class={`connection is-${status}`} role="status">
        <i />
        {status}
      </p>
    </header>
  )
}

function Phase({ race }: { readonly race: Race }): VNode {
  const { session, winners } = race
  if (session.phase === 'racing') {
    return (
      <p class="lap">
        <small>Lap</small> <b>{session.lap}</b>
        <span>/{session.laps}</span>
      </p>
    )
  }
  if (session.phase === 'finished') {
    const winner = winners[session.race]
    return (
      <p class="winner" style={`--team:${winner?.colour ?? '#ffffff'}`}>
        <i class="chequered" /> <small>Winner</small> <b>{winner?.driver}</b>
      </p>
    )
  }
  return (
    <p class="start" role="img" aria-label={`${session.lights} of 5 start lights`}>
      {[1, 2, 3, 4, 5].map(light => (
        <i key={light} class={light <= session.lights ? 'is-lit' : ''} />
      ))}
    </p>
  )
}

const words = { clear: 'Track clear', yellow: 'Yellow', 'safety-car': 'Safety car' } as const

function TrackStatus({ race }: { readonly race: Race }): VNode {
  const { status, sector } = race.track
  const isOver = race.session.phase === 'finished'
  return (
    <p class={`track is-${isOver ? 'chequered' : status}`} key={status}>
      <i />
      {isOver ? 'Chequered flag' : `${words[status]}${sector === null ? '' : ` · S${sector}`}`}
    </p>
  )
}
