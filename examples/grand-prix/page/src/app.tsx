import type { VNode } from 'preact'
import { useCallback, useState } from 'preact/hooks'
import { CrowdStrip } from './crowd-strip.tsx'
import { DeliveryStrip } from './delivery-strip.tsx'
import { useRace } from './live-race.ts'
import { RaceStrip } from './race-strip.tsx'
import { SessionHeader } from './session-header.tsx'
import { TimingTable } from './timing-table.tsx'

/** The whole screen. */
export function App(): VNode {
  const { race, status, delivery, voice, source } = useRace()
  const [followed, setFollowed] = useState<number | undefined>(undefined)
  const follow = useCallback(
    (car: number) => {
      setFollowed(car)
      voice?.follow(car)
    },
    [voice],
  )
  return (
    <div class={`screen is-${status}`}>
      <SessionHeader race={race} status={status} />
      <main>
        {race === undefined || race.session.race === 0 ? (
          <p class="waiting">
            {status === 'closed' ? 'The race cannot be watched from here.' : 'Waiting for the race'}
          </p>
        ) : (
          <TimingTable race={race} followed={followed} follow={follow} />
        )}
      </main>
      {race === undefined ? null : <CrowdStrip race={race} followed={followed} voice={voice} />}
      {race === undefined ? null : <RaceStrip race={race} />}
      <DeliveryStrip delivery={delivery} source={source} />
    </div>
  )
}
