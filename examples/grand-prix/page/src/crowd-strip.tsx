import { rollup } from 'fanfold'
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { Race } from '../../race.ts'
import type { Voice } from './live-race.ts'

/** Cars that are shown of each count. */
const leadersMax = 3

type Counted = readonly [car: string, count: number]

type Props = {
  readonly race: Race
  /** The car that is followed here. */
  readonly followed: number | undefined
  readonly voice: Voice | undefined
}

/** What one may say oneself, how many watch, and whom they cheer for, vote for and follow. */
export function CrowdStrip({ race, followed, voice }: Props): VNode {
  const { viewers, cheers, votes, looks } = race.crowd
  const counts = [...rollup.read(looks, 'minute', Date.now())]
  return (
    <section class="strip crowd" aria-label="Crowd">
      <YourCar key={followed} race={race} followed={followed} voice={voice} />
      <p class="viewers">
        <small>Watching</small> <b class="number">{viewers.toLocaleString('en')}</b>
      </p>
      <Leaders title="Cheers" race={race} counts={Object.entries(cheers)} />
      <Leaders title="Driver of the day" race={race} counts={Object.entries(votes)} />
      <Leaders title="Followed" race={race} counts={counts} />
    </section>
  )
}

function YourCar({ race, followed, voice }: Props): VNode {
  const car = followed === undefined ? undefined : race.cars[followed]
  if (car === undefined || voice === undefined) {
    return (
      <p class="your-car">
        <small>Press a driver to follow</small>
      </p>
    )
  }
  return (
    <p class="your-car" style={`--team:${car.colour}`}>
      <Say title="Cheer" driver={car.driver} say={() => voice.cheer(car.number)} />
      <Say title="Vote" driver={car.driver} say={() => voice.vote(car.number)} />
    </p>
  )
}

/** A button that lights up when what it says counts. */
function Say(props: {
  readonly title: string
  readonly driver: string
  readonly say: () => Promise<boolean>
}): VNode {
  const { title, driver, say } = props
  const [outcome, setOutcome] = useState('')
  const press = async (): Promise<void> => {
    setOutcome('is-said')
    setOutcome((await say()) ? 'is-counted' : 'is-lost')
  }
  return (
    <button
      type="button"
      class={`say ${outcome}`}
      aria-label={`${title} ${driver}`}
      onClick={press}
    >
      {title}
    </button>
  )
}

/** The cars with the most, and what share of all that is. */
function Leaders(props: {
  readonly title: string
  readonly race: Race
  readonly counts: readonly Counted[]
}): VNode | null {
  const { title, race, counts } = props
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  const leaders = counts
    .filter(([number, count]) => count > 0 && race.cars[number] !== undefined)
    .toSorted(
      ([one, count], [other, otherCount]) => otherCount - count || Number(one) - Number(other),
    )
    .slice(0, leadersMax)
  if (leaders.length === 0) return null
  return (
    <dl class="leaders">
      <dt>
        <small>{title}</small>
      </dt>
      {leaders.map(([number, count]) => (
        <dd
          key={number}
          title={`${race.cars[number]?.driver}: ${count.toLocaleString('en')}`}
          style={`--team:${race.cars[number]?.colour};--share:${count / total}`}
        >
          <b>{race.cars[number]?.code}</b>
          <span class="number">{Math.round((count / total) * 100)}%</span>
        </dd>
      ))}
    </dl>
  )
}
